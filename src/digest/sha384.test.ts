import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { generatedSha384, SHA384_BLOCK_BYTES } from './sha384.ts';

const expected = (pieces: readonly Uint8Array[]) =>
  pieces.reduce((hash, piece) => hash.update(piece), createHash('sha384')).digest('hex');
const ours = (pieces: readonly Uint8Array[]) => Buffer.from(generatedSha384(pieces)).toString('hex');

test('agrees with the SHA-384 of another library, however the blocks are cut into pieces', () => {
  const piece = fc
    .integer({ min: 0, max: 8 })
    .chain((blocks) =>
      fc.uint8Array({ minLength: blocks * SHA384_BLOCK_BYTES, maxLength: blocks * SHA384_BLOCK_BYTES }),
    );
  fc.assert(fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => assert.equal(ours(pieces), expected(pieces))));
});

test('a piece longer than one call takes', () => {
  const piece = Uint8Array.from({ length: 3 * 65536 + 5 * SHA384_BLOCK_BYTES }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
  assert.equal(ours([piece, piece]), expected([piece, piece]));
});

test('a last piece of any length, and nothing at all', () => {
  assert.equal(ours([]), expected([]));
  const whole = new Uint8Array(SHA384_BLOCK_BYTES).fill(7);
  for (let length = 0; length <= 2 * SHA384_BLOCK_BYTES; length++) {
    const last = Uint8Array.from({ length }, (_, i) => i);
    assert.equal(ours([last]), expected([last]), `${length} bytes`);
    assert.equal(ours([whole, last]), expected([whole, last]), `a block and ${length} bytes`);
  }
});
