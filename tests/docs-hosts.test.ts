/** docs/hosts.md says of each host what its profile says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HOST_PROFILES } from '../src/vmm/index.ts';
import { root } from './repository.ts';

test('docs/hosts.md has each host and each of its differences, and no others', () => {
  const text = readFileSync(join(root, 'docs/hosts.md'), 'utf8');
  const sections = text.split(/^## /m).slice(1);
  const expected = HOST_PROFILES.map(
    ({ name, description, differences }) =>
      `\`${name}\`: ${description}\n\n| What | Source |\n|---|---|\n${differences.map(({ what, source }) => `| ${what} | ${source} |\n`).join('')}`,
  );
  assert.deepEqual(
    sections.map((section) => `${section.trimEnd()}\n`),
    expected,
  );
});
