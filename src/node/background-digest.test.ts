import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { bytesOf, LABEL_BYTES, type LabelledStream, ROW_NUMBERS } from '../digest/index.ts';
import { beginDigest, type Shareable } from './background-digest.ts';
import { BackgroundThread } from './background-thread.ts';
import { nativeSha384 } from './native-sha384.ts';

const part = (fill: number) => ({
  rows: new Float64Array(new SharedArrayBuffer(8 * ROW_NUMBERS)).map((_, i) => [0, 1 << fill, 256][i]!),
  content: new Uint8Array(new SharedArrayBuffer(1 << 16)).fill(fill),
});
const stream: LabelledStream = {
  labels: [{ block: new Uint8Array(LABEL_BYTES).fill(7), contentBytes: 256 }],
  parts: Array.from({ length: 5 }, (_, i) => part(i)),
};
const hash = createHash('sha384');
for (const piece of bytesOf(stream)) hash.update(piece);
const expected = hash.digest('hex');
const hex = (digest: Uint8Array): string => Buffer.from(digest).toString('hex');

test('a thread hashes what lies in shared memory, one after the other', () => {
  const thread = new BackgroundThread();
  const begin = (hashed: Shareable) => beginDigest(thread, hashed, () => assert.fail('the thread has begun'));
  const bytes = stream.parts[1]!.content;
  const [labelled, plain] = [begin(stream), begin(bytes)];
  assert.equal(hex(plain()), createHash('sha384').update(bytes).digest('hex'));
  assert.equal(hex(labelled()), expected);
});

test('what a thread that never begins should have done is done here', () => {
  const thread = new BackgroundThread(new URL('data:text/javascript,'));
  assert.equal(hex(beginDigest(thread, stream, nativeSha384, 50)()), expected);
});
