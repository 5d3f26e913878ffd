import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { root } from '../repository.ts';
import { COVERAGE_PAGE, COVERED_LEAVES, coveragePage, names, testSources } from './page.ts';

const committed = readFileSync(join(root, COVERAGE_PAGE), 'utf8');
/** The column of tests may lag behind new tests; it must not name any that is not there. */
const withoutTests = (page: string) => page.replaceAll(/^(\|[^|\n]*\|[^|\n]*\|[^|\n]*\|)[^|\n]*\|$/gm, '$1');

test('docs/coverage.md says what the rows say', () => {
  assert.equal(withoutTests(committed), withoutTests(coveragePage()), 'npm run coverage makes it anew');
});

test('the tests that docs/coverage.md names call the leaf', () => {
  const sources = [...testSources()];
  for (const [, name, inTests] of COVERED_LEAVES) {
    const line = committed.split('\n').find((each) => each.split('|')[2]?.trim() === name);
    const files = (line?.split('|')[4] ?? '').split(',').map((file) => file.trim());
    for (const file of files.filter((each) => each !== ''))
      assert.ok(
        sources.some(([path, text]) => basename(path, '.test.ts') === file && names(text, inTests, name)),
        `${file} does not call ${name}: npm run coverage`,
      );
  }
});
