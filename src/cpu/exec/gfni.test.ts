/** GFNI against arithmetic on single bytes: few processors to compare with have it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { gfniOperations } from './gfni.ts';
import { vectorBench } from './vector-bench.ts';
import { vex } from './vex.ts';

const VEX_OPERATIONS = Object.fromEntries(
  Object.entries(gfniOperations).map(([name, operation]) => [`V${name}`, vex(operation)]),
);
const { execute } = vectorBench({ ...gfniOperations, ...VEX_OPERATIONS }, ['AVX', 'GFNI']);

function product(a: number, b: number): number {
  let result = 0;
  for (let bit = 0; bit < 8; bit++) if ((b >> bit) & 1) result ^= a << bit;
  for (let bit = 14; bit >= 8; bit--) if ((result >> bit) & 1) result ^= 0x11b << (bit - 8);
  return result;
}

const inverse = (a: number): number => Array.from({ length: 256 }, (_, i) => i).find((i) => product(a, i) === 1) ?? 0;

function affine(value: number, matrix: Uint8Array, constant: number): number {
  let result = constant;
  for (let bit = 0; bit < 8; bit++) {
    const common = matrix[7 - bit]! & value;
    for (let i = 0; i < 8; i++) result ^= ((common >> i) & 1) << bit;
  }
  return result;
}

const CONSTANT = 0x63;
/** result byte i from the sources */
const MODELS: Record<string, (x: Uint8Array, y: Uint8Array, i: number) => number> = {
  GF2P8MULB: (x, y, i) => product(x[i]!, y[i]!),
  GF2P8AFFINEQB: (x, y, i) => affine(x[i]!, y.subarray(i & ~7, (i & ~7) + 8), CONSTANT),
  GF2P8AFFINEINVQB: (x, y, i) => affine(inverse(x[i]!), y.subarray(i & ~7, (i & ~7) + 8), CONSTANT),
};
/** register 1 with register 2 */
const ENCODINGS: Record<string, readonly [legacy: number[], ymm: number[]]> = {
  GF2P8MULB: [
    [0x66, 0x0f, 0x38, 0xcf, 0xca],
    [0xc4, 0xe2, 0x75, 0xcf, 0xca],
  ],
  GF2P8AFFINEQB: [
    [0x66, 0x0f, 0x3a, 0xce, 0xca, CONSTANT],
    [0xc4, 0xe3, 0xf5, 0xce, 0xca, CONSTANT],
  ],
  GF2P8AFFINEINVQB: [
    [0x66, 0x0f, 0x3a, 0xcf, 0xca, CONSTANT],
    [0xc4, 0xe3, 0xf5, 0xcf, 0xca, CONSTANT],
  ],
};

const vector = fc.uint8Array({ minLength: 32, maxLength: 32 });

for (const [name, model] of Object.entries(MODELS))
  test(`${name} gives what arithmetic in GF(2^8) gives, and its SSE form leaves the upper half`, () => {
    const [legacy, ymm] = ENCODINGS[name]!;
    fc.assert(
      fc.property(vector, vector, (x, y) => {
        const expected = Uint8Array.from({ length: 32 }, (_, i) => model(x, y, i));
        assert.deepEqual(execute(ymm, [x, y]), expected);
        expected.set(x.subarray(16), 16);
        assert.deepEqual(execute(legacy, [x, y]), expected);
      }),
      { numRuns: 100, seed: 8 },
    );
  });
