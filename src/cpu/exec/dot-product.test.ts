/** AVX-VNNI against plain integers: few processors to compare with have it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dotProductOperations } from './dot-product.ts';
import { vectorBench } from './vector-bench.ts';

const { execute } = vectorBench(dotProductOperations, ['AVX', 'AVX_VNNI']);

/** Products of the elements that belong to dword i. */
type Products = (x: DataView, y: DataView, i: number) => number[];
const bytes: Products = (x, y, i) => [0, 1, 2, 3].map((j) => x.getUint8(4 * i + j) * y.getInt8(4 * i + j));
const words: Products = (x, y, i) => [0, 2].map((j) => x.getInt16(4 * i + j, true) * y.getInt16(4 * i + j, true));
const wrapped = (sum: number): number => sum | 0;

const saturated = (sum: number): number => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, sum));

/** opcode of the form VEX.128/256.66.0F38.W0 op /r */
const MODELS: Record<string, readonly [opcode: number, products: Products, store: (sum: number) => number]> = {
  VPDPBUSD: [0x50, bytes, wrapped],
  VPDPBUSDS: [0x51, bytes, saturated],
  VPDPWSSD: [0x52, words, wrapped],
  VPDPWSSDS: [0x53, words, saturated],
};

const interesting = fc.oneof(fc.constantFrom(0, 0x7f, 0x80, 0xff), fc.nat(255));
const vector = fc.array(interesting, { minLength: 32, maxLength: 32 }).map((values) => Uint8Array.from(values));
const view = (value: Uint8Array): DataView => new DataView(value.buffer, value.byteOffset, 32);

for (const [name, [opcode, products, store]] of Object.entries(MODELS))
  test(`${name} gives what integers give, at both lengths`, () => {
    fc.assert(
      fc.property(vector, vector, vector, fc.constantFrom(4, 8), (sums, x, y, dwords) => {
        const expected = new Uint8Array(32);
        for (let i = 0; i < dwords; i++) {
          const sum = products(view(x), view(y), i).reduce((all, each) => all + each, view(sums).getInt32(4 * i, true));
          view(expected).setInt32(4 * i, store(sum), true);
        }
        const length = dwords === 8 ? 4 : 0;
        // YMM1 += YMM2 . YMM3
        assert.deepEqual(execute([0xc4, 0xe2, 0x69 | length, opcode, 0xcb], [sums, x, y]), expected);
      }),
      { numRuns: 200, seed: 21 },
    );
  });
