import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import test from 'node:test';
import { filesUnder, root } from './repository.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'SPECIFICATION.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...filesUnder('docs', '.md'),
];

/** What a reader would paste into a shell: lines of the fenced `sh` blocks. */
function commands(page: string): string[] {
  return [...page.matchAll(/```sh\n([\s\S]*?)```/g)]
    .flatMap((block) => block[1]!.split('\n'))
    .filter((line) => line !== '');
}

/** GitHub's anchor of a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

test('the README has the two commands, and every npm script it names exists', () => {
  const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;
  const readme = commands(read('README.md'));
  assert.ok(readme.includes('npm ci && npm start'), 'the first command, npm ci && npm start, is missing');
  assert.ok(readme.includes('npm ci && npm test'), 'the second command, npm ci && npm test, is missing');
  for (const command of readme) {
    for (const [, script] of command.matchAll(/npm (?:run )?(start|test|[a-z]+)\b/g)) {
      if (script !== 'ci' && script !== 'run')
        assert.ok(scripts[script!], `README: "${command}": package.json has no script "${script}"`);
    }
  }
});

test('CI runs exactly the test command of the README', () => {
  const lines = read('.ci/run')
    .split('\n')
    .filter((line) => /^npm /.test(line));
  assert.deepEqual(lines, ['npm ci && npm test']);
});

for (const page of pages) {
  test(`links of ${page} lead somewhere`, () => {
    const text = read(page);
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      const [path = '', fragment] = target!.split('#');
      const file = path === '' ? page : relative(root, join(root, dirname(page), path));
      assert.ok(existsSync(join(root, file)), `${page} links to ${target}, and ${file} does not exist`);
      if (fragment === undefined || !statSync(join(root, file)).isFile()) continue;
      const anchors = [...read(file).matchAll(/^#+ (.+)$/gm)].map((match) => anchor(match[1]!));
      assert.ok(anchors.includes(fragment), `${page} links to ${target}, and ${file} has no such heading`);
    }
  });

  test(`source files named in ${page} exist`, () => {
    for (const [, path] of read(page).matchAll(/`((?:src|tests|guests|examples|bench|docs|bin)\/[\w./-]*\w)`/g)) {
      assert.ok(existsSync(join(root, path!)), `${page} names ${path}, which does not exist`);
    }
  });
}

test('docs/fidelity.md lists known deviations, one line each', () => {
  const rows = read('docs/fidelity.md')
    .split('\n')
    .filter((line) => line.startsWith('- '));
  assert.ok(rows.length > 0);
  for (const row of rows) assert.match(row, /\.$/, `not a sentence: ${row}`);
});
