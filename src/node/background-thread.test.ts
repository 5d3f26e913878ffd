import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { beginDigest, type DigestRequest } from './background-digest.ts';
import { BackgroundThread } from './background-thread.ts';

test('what is added waits until something makes the thread begin, and is done before that', () => {
  const hashed = new Uint8Array(new SharedArrayBuffer(100)).fill(1);
  const request: DigestRequest = { hashed, answer: new SharedArrayBuffer(4 + 48) };
  const digest = new Uint8Array(request.answer, 4);
  const thread = new BackgroundThread();
  let isPosted = false;
  thread.add(() => {
    isPosted = true;
    return request;
  });
  assert.ok(!isPosted);
  beginDigest(thread, hashed)();
  assert.equal(Buffer.from(digest).toString('hex'), createHash('sha384').update(hashed).digest('hex'));
});
