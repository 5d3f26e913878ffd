/** Runs every *.test.ts of the sources from dist/ and ends with the reasons of what was skipped. */

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { filesUnder, root } from './repository.ts';

const millisecondsPerFile = 9 * 60_000;
const wanted = process.argv.slice(2);
const files = ['src', 'guests', 'examples', 'tests']
  .flatMap((folder) => filesUnder(folder, '.test.ts'))
  .filter((path) => wanted.length === 0 || wanted.some((word) => path.includes(word)))
  .map((path) => join(root, 'dist', path.replace(/\.ts$/, '.js')));

const missing = files.filter((file) => !existsSync(file));
if (files.length === 0 || missing.length > 0) {
  console.error(
    files.length === 0
      ? `No test file matches ${wanted.join(' ')}.`
      : `Not built: ${missing.join(', ')}. Run npm run build first.`,
  );
  process.exit(1);
}

const skipped: string[] = [];
const tests = run({ files, concurrency: availableParallelism(), timeout: millisecondsPerFile });
tests.on('test:pass', ({ name, skip }) => {
  if (skip !== undefined) skipped.push(`${name}: ${skip === true || skip === '' ? 'no reason given' : skip}`);
});
tests.on('test:fail', ({ todo }) => {
  if (todo === undefined) process.exitCode = 1;
});
tests.compose(new spec()).pipe(process.stdout);
tests.on('end', () => {
  process.on('exit', () => {
    if (skipped.length > 0)
      process.stdout.write(`\nSkipped here (${skipped.length}):\n${skipped.map((line) => `  ${line}\n`).join('')}`);
  });
});
