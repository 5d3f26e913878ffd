import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { bytesEqual, piecesOf } from '../bits/index.ts';
import { bytesOf } from '../digest/index.ts';
import { beginDigest } from './background-digest.ts';
import { BackgroundThread } from './background-thread.ts';
import { openUserFile, UserFile } from './user-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'seamulator-user-file-'));
after(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'file');
const content = randomBytes(1_300_000);
writeFileSync(path, content);

test('whatever is read in whatever order is what the file holds there', () => {
  const file = openUserFile(path, 'kernel');
  assert.ok(file instanceof UserFile);
  const place = fc.tuple(fc.nat(content.length), fc.oneof(fc.nat(5000), fc.nat(content.length)));
  fc.assert(
    fc.property(fc.array(place, { minLength: 1, maxLength: 20 }), (places) => {
      for (const [start, length] of places) {
        const end = Math.min(start + length, content.length);
        assert.ok(bytesEqual(file.read(start, end), content.subarray(start, end)));
      }
    }),
    { numRuns: 30 },
  );
  assert.ok(Buffer.concat(Array.from(piecesOf(file), (piece) => piece.slice())).equals(content));
});

test('a thread reads a file itself', () => {
  const file = openUserFile(path, 'kernel') as UserFile;
  const digest = beginDigest(new BackgroundThread(), file, () => assert.fail('the thread can read'));
  assert.deepEqual(digest(), new Uint8Array(createHash('sha384').update(content).digest()));
});

test('a file that is changed meanwhile is told of, also where a thread has found it out', () => {
  const shrinking = join(directory, 'shrinking');
  writeFileSync(shrinking, content);
  const file = openUserFile(shrinking, 'kernel') as UserFile;
  truncateSync(shrinking, 1000);
  const complaint = { message: `Cannot read the kernel ${shrinking}: it was changed while it was in use.` };
  assert.throws(() => [...bytesOf(file)], complaint);
  const digest = beginDigest(new BackgroundThread(), file);
  assert.throws(digest, complaint);
});

test('what cannot be read is told of when it is opened; what has no length is read to its end', () => {
  assert.throws(() => openUserFile(join(directory, 'none'), 'kernel'), {
    message: `Cannot read the kernel ${join(directory, 'none')}: there is no such file.`,
  });
  assert.throws(() => openUserFile(directory, 'kernel'), {
    message: `Cannot read the kernel ${directory}: it is a directory.`,
  });
  if (process.platform === 'linux') assert.ok(openUserFile('/proc/self/status', 'kernel') instanceof Uint8Array);
});
