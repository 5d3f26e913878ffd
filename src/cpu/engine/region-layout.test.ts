import assert from 'node:assert/strict';
import test from 'node:test';
import { findLoops } from './region-layout.ts';

test('a loop reaches from the target of a backward branch to the last block that branches back', () => {
  assert.deepEqual(
    findLoops(5, [
      [0, 1],
      [2, 1],
      [3, 1],
      [3, 4],
    ]),
    [{ header: 1, last: 3 }],
  );
});

test('loops nest: an outer one is stretched over what would reach beyond it', () => {
  assert.deepEqual(
    findLoops(6, [
      [3, 1],
      [4, 2],
    ]),
    [
      { header: 1, last: 4 },
      { header: 2, last: 4 },
    ],
  );
});

test('branches forward make no loop', () => {
  assert.deepEqual(
    findLoops(3, [
      [0, 1],
      [0, 2],
    ]),
    [],
  );
});
