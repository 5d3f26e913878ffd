/** AVX-VNNI: dot products of bytes or words, added to the dwords of the target (SDM Vol. 2). */
import type { Operation, OperationTable, Sem, Val } from './sem.ts';
import { halvesOf, splat } from './vector-operand.ts';
import { writeHalves } from './vex.ts';

const EVEN_DWORDS = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
const ODD_DWORDS = EVEN_DWORDS.map((lane) => lane + 4);

/** Sums of four products each of unsigned bytes of x with signed bytes of y. */
function bytesTimesBytes(b: Sem, x: Val, y: Val): Val {
  const [low, high] = (['low', 'high'] as const).map((half) => {
    const products = b.op(
      'i16x8.mul',
      b.op(`i16x8.extend_${half}_i8x16_u`, x),
      b.op(`i16x8.extend_${half}_i8x16_s`, y),
    );
    return b.op('i32x4.extadd_pairwise_i16x8_s', products);
  });
  return b.op('i32x4.add', b.shuffle(low!, high!, EVEN_DWORDS), b.shuffle(low!, high!, ODD_DWORDS));
}

/** Sums of two products each of signed words. One of them, 2^31, does not fit. */
const wordsTimesWords = (b: Sem, x: Val, y: Val): Val => b.op('i32x4.dot_i16x8_s', x, y);

type Products = (b: Sem, x: Val, y: Val) => Val;
type Addition = (b: Sem, sum: Val, products: Val) => Val;

const wrapping: Addition = (b, sum, products) => b.op('i32x4.add', sum, products);

/** 0x7fffffff or 0x80000000 where the sum does not fit. */
const saturating: Addition = (b, x, y) => {
  const sum = b.op('i32x4.add', x, y);
  const overflows = b.op('v128.and', b.op('v128.xor', x, sum), b.op('v128.xor', y, sum));
  const limit = b.op('v128.xor', b.op('i32x4.shr_s', x, b.i32(31)), splat(b, 4, 0x7fff_ffff));
  return b.op('v128.bitselect', limit, sum, b.op('i32x4.shr_s', overflows, b.i32(31)));
};

/** Words, where products that do not fit (they are -2^31 then, instead of 2^31) come in two parts of 2^30. */
const saturatingWords: Addition = (b, sum, products) => {
  const lowest = splat(b, 4, 0x8000_0000);
  const unfit = b.op('i32x4.eq', products, lowest);
  const part = splat(b, 4, 0x4000_0000);
  const first = b.op('v128.bitselect', part, products, unfit);
  const rest = b.op('v128.and', part, unfit);
  return saturating(b, saturating(b, sum, first), rest);
};

const accumulate = (products: Products, add: Addition): Operation => ({
  emit: (b, target, first, second) => {
    const ys = halvesOf(b, second!);
    const xs = halvesOf(b, first!);
    writeHalves(
      b,
      target!,
      halvesOf(b, target!).map((sum, half) => add(b, sum, products(b, xs[half]!, ys[half]!))),
    );
  },
});

export const dotProductOperations: OperationTable = {
  VPDPBUSD: accumulate(bytesTimesBytes, wrapping),
  VPDPBUSDS: accumulate(bytesTimesBytes, saturating),
  VPDPWSSD: accumulate(wordsTimesWords, wrapping),
  VPDPWSSDS: accumulate(wordsTimesWords, saturatingWords),
};
