import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mentionsTdx } from './tdx-support.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

test('the signature is found wherever it stands, and nowhere else', () => {
  const letters = fc.string({ unit: fc.constantFrom('I', 'n', 't', 'e', 'l', 'T', 'D', 'X', ' '), maxLength: 40 });
  fc.assert(
    fc.property(letters, letters, fc.boolean(), (before, after, isThere) => {
      const text = `${before}${isThere ? 'IntelTDX    ' : ''}${after}`;
      assert.equal(mentionsTdx(bytesOf(text)), text.includes('IntelTDX    '));
    }),
  );
});

test('in what is read piece by piece it is found across pieces too', () => {
  const place = fc.integer({ min: 0, max: 600_000 - 12 });
  fc.assert(
    fc.property(place, (at) => {
      const bytes = new Uint8Array(600_000);
      const stored = { length: bytes.length, read: (start: number, end: number) => bytes.subarray(start, end) };
      assert.equal(mentionsTdx(stored), false);
      bytes.set(bytesOf('IntelTDX    '), at);
      assert.equal(mentionsTdx(stored), true);
    }),
    { numRuns: 20, examples: [[0], [600_000 - (1 << 18) - 5], [600_000 - (1 << 18) - 12], [600_000 - 12]] },
  );
});
