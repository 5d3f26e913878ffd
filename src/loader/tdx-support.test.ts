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
