/** PCLMULQDQ: the product of two polynomials over GF(2). */
import type { OperationTable, Sem, Val } from './sem.ts';
import { readAligned } from './vector-operand.ts';

/** Every fourth bit, from each of four starts. Between them, an integer product's columns have room for their carries. */
const COMBS = [0x1111_1111_1111_1111n, 0x2222_2222_2222_2222n, 0x4444_4444_4444_4444n, 0x8888_8888_8888_8888n];

/** The low 64 bits of the product: column sums of up to 15 stay within their four bits, and the one of 16 is the last. */
function lowProduct(b: Sem, x: Val, y: Val): Val {
  const xs = COMBS.map((comb) => b.and(x, b.i64(comb)));
  const ys = COMBS.map((comb) => b.and(y, b.i64(comb)));
  return COMBS.map((comb, bit) => {
    const products = xs.map((each, i) => b.mul(each, ys[(bit - i + 4) & 3]!));
    return b.and(
      products.reduce((sum, each) => b.xor(sum, each)),
      b.i64(comb),
    );
  }).reduce((all, each) => b.or(all, each));
}

const SWAPS: readonly (readonly [distance: number, mask: bigint])[] = [
  [1, 0x5555_5555_5555_5555n],
  [2, 0x3333_3333_3333_3333n],
  [4, 0x0f0f_0f0f_0f0f_0f0fn],
  [8, 0x00ff_00ff_00ff_00ffn],
  [16, 0x0000_ffff_0000_ffffn],
];

function reversed(b: Sem, value: Val): Val {
  const swapped = SWAPS.reduce(
    (x, [distance, mask]) => b.or(b.and(b.shrU(x, distance), b.i64(mask)), b.shl(b.and(x, b.i64(mask)), distance)),
    value,
  );
  return b.rotl(swapped, 32);
}

/** The quadword of a vector that an immediate's bit chooses. */
const quad = (b: Sem, vector: Val, control: Val, bit: number): Val =>
  b.select(
    b.and(b.shrU(control, bit), b.i32(1)),
    b.lane('i64x2.extract_lane', 1, vector),
    b.lane('i64x2.extract_lane', 0, vector),
  );

export const carryLessOperations: OperationTable = {
  PCLMULQDQ: {
    emit: (b, target, source, immediate) => {
      const control = b.wrap(immediate!.read());
      const y = quad(b, readAligned(b, source!), control, 4);
      const x = quad(b, target!.read(), control, 0);
      const high = b.shrU(reversed(b, lowProduct(b, reversed(b, x), reversed(b, y))), 1);
      const low = b.op('i64x2.splat', lowProduct(b, x, y));
      target!.write(b.lane('i64x2.replace_lane', 1, low, high));
    },
  },
};
