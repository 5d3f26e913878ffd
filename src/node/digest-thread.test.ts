import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { beginOnThread } from './digest-thread.ts';
import { nativeSha384 } from './native-digest.ts';

const pieces = Array.from({ length: 5 }, (_, i) => new Uint8Array(new SharedArrayBuffer(1 << 16)).fill(i));
const expected = createHash('sha384').update(Buffer.concat(pieces)).digest('hex');
const hex = (digest: Uint8Array): string => Buffer.from(digest).toString('hex');

test('a thread hashes what lies in shared memory', () => {
  const digest = beginOnThread(pieces, () => assert.fail('the thread has begun'));
  assert.equal(hex(digest()), expected);
});

test('what a thread that never begins should have done is done here', () => {
  const nothing = new URL('data:text/javascript,');
  assert.equal(hex(beginOnThread(pieces, nativeSha384, nothing, 50)()), expected);
});
