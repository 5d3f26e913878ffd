/** GFNI: products and affine maps of bytes in GF(2^8) (SDM Vol. 2). */
import { INVERSES, multiply, substitute } from './galois.ts';
import type { Operation, OperationTable, Sem, Val } from './sem.ts';
import { readAligned, splat } from './vector-operand.ts';

/** Bit i of each byte is the parity of what the byte has in common with row i of its quadword's matrix, which is byte 7 - i. */
function multiplyMatrix(b: Sem, bytes: Val, matrices: Val): Val {
  let result: Val = splat(b, 1, 0);
  for (let bit = 0; bit < 8; bit++) {
    const row = b.shuffle(
      matrices,
      matrices,
      Array.from({ length: 16 }, (_, i) => (i & 8) + 7 - bit),
    );
    const parity = b.op('v128.and', b.op('i8x16.popcnt', b.op('v128.and', bytes, row)), splat(b, 1, 1));
    result = b.op('v128.or', result, b.op('i8x16.shl', parity, b.i32(bit)));
  }
  return result;
}

const affine = (prepare: (b: Sem, bytes: Val) => Val): Operation => ({
  emit: (b, target, source, immediate) => {
    const matrices = readAligned(b, source!);
    const constant = b.op('i8x16.splat', b.wrap(immediate!.read()));
    target!.write(b.op('v128.xor', multiplyMatrix(b, prepare(b, target!.read()), matrices), constant));
  },
});

export const gfniOperations: OperationTable = {
  GF2P8MULB: {
    emit: (b, target, source) => {
      const y = readAligned(b, source!);
      target!.write(multiply(b, target!.read(), y));
    },
  },
  GF2P8AFFINEQB: affine((_b, bytes) => bytes),
  GF2P8AFFINEINVQB: affine((b, bytes) => substitute(b, bytes, INVERSES)),
};
