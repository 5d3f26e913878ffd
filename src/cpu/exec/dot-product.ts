/** AVX-VNNI: dot products of bytes or words, added to the dwords of the target (SDM Vol. 2). */
import type { OperationTable, Sem, Val } from './sem.ts';
import { halvesOf } from './vector-operand.ts';
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

export const dotProductOperations: OperationTable = {
  VPDPBUSD: {
    emit: (b, target, first, second) => {
      const ys = halvesOf(b, second!);
      const xs = halvesOf(b, first!);
      const sums = halvesOf(b, target!);
      writeHalves(
        b,
        target!,
        sums.map((sum, half) => b.op('i32x4.add', sum, bytesTimesBytes(b, xs[half]!, ys[half]!))),
      );
    },
  },
};
