import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededEntropy } from './entropy.ts';

const draw = (seed: number, stream: number, count = 64) => {
  const entropy = new SeededEntropy(seed, stream);
  return Array.from({ length: count }, () => entropy.next32());
};

test('the same seed and stream give the same numbers, others give others', () => {
  assert.deepEqual(draw(7, 0), draw(7, 0));
  for (const other of [draw(8, 0), draw(7, 1), draw(7 + 2 ** 40, 0)]) assert.notDeepEqual(other, draw(7, 0));
});

test('bits are balanced and numbers do not repeat', () => {
  const numbers = draw(1, 0, 4096);
  assert.equal(new Set(numbers).size > 4090, true);
  for (let bit = 0; bit < 32; bit++) {
    const ones = numbers.filter((number) => (number >>> bit) & 1).length;
    assert.ok(ones > 1800 && ones < 2300, `bit ${bit}: ${ones} of 4096`);
  }
});
