import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keptDigest } from './kept-digests.ts';

const directory = mkdtempSync(join(tmpdir(), 'seamulator-kept-digests-'));
const path = join(directory, 'kernel');
const digests = join(directory, 'seamulator', 'digests');
const before = process.env.XDG_CACHE_HOME;
process.env.XDG_CACHE_HOME = directory;
after(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  rmSync(directory, { recursive: true });
});

const [first, second] = [1, 2].map((fill) => new Uint8Array(48).fill(fill)) as [
  Uint8Array<ArrayBuffer>,
  Uint8Array<ArrayBuffer>,
];
const gives = (digest: Uint8Array<ArrayBuffer>) => () => () => digest;
const hashesNothing = () => assert.fail('it is kept');
/** longer than the clocks of file systems need for another time, shorter than what the command waits */
const SETTLED_MILLISECONDS = 100;
const keptDigestOf = (path: string, begin: Parameters<typeof keptDigest>[1]) =>
  keptDigest(path, begin, SETTLED_MILLISECONDS);

beforeEach(async () => {
  rmSync(digests, { recursive: true, force: true });
  writeFileSync(path, 'one');
  await sleep(2 * SETTLED_MILLISECONDS);
});

test('the second run is told what the first has hashed', () => {
  assert.deepEqual(keptDigestOf(path, gives(first))(), first);
  assert.deepEqual(keptDigestOf(path, hashesNothing)(), first);
});

test('a file of the same length and with its old time put back is hashed again', async () => {
  keptDigestOf(path, gives(first))();
  const { atime, mtime } = statSync(path);
  writeFileSync(path, 'two');
  utimesSync(path, atime, mtime);
  await sleep(2 * SETTLED_MILLISECONDS);
  assert.deepEqual(keptDigestOf(path, gives(second))(), second);
});

test('nothing is kept of a file that has only just been written, nor of one that is changed while it is hashed', async () => {
  writeFileSync(path, 'new');
  assert.deepEqual(keptDigestOf(path, gives(first))(), first);
  assert.deepEqual(keptDigestOf(path, gives(second))(), second);
  await sleep(2 * SETTLED_MILLISECONDS);
  const hashed = keptDigestOf(path, gives(first));
  writeFileSync(path, 'changed');
  assert.deepEqual(hashed(), first);
  assert.throws(() => readdirSync(digests), { code: 'ENOENT' });
});

test('a kept file that is damaged is as good as none, and so is a file that is not there', () => {
  keptDigestOf(path, gives(first))();
  writeFileSync(join(digests, readdirSync(digests)[0]!), 'short');
  assert.deepEqual(keptDigestOf(path, gives(second))(), second);
  assert.deepEqual(keptDigestOf(join(directory, 'none'), gives(first))(), first);
});
