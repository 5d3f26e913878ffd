/** Arithmetic on bytes as elements of GF(2^8) modulo x^8 + x^4 + x^3 + x + 1: what AES and GFNI are made of. */
import type { Sem, Val } from './sem.ts';
import { splat } from './vector-operand.ts';

const doubleNumber = (value: number): number => ((value << 1) ^ (value & 0x80 ? 0x11b : 0)) & 0xff;

/** The inverse of each element; of 0, 0. Every other one is a power of 3, and the 255th power is 1. */
export const INVERSES: Uint8Array = new Uint8Array(256);
const POWERS: number[] = [1];
for (let i = 1; i < 255; i++) POWERS.push(POWERS[i - 1]! ^ doubleNumber(POWERS[i - 1]!));
POWERS.forEach((power, i) => {
  INVERSES[power] = POWERS[(255 - i) % 255]!;
});

/** Each byte doubled. */
export function double(b: Sem, bytes: Val): Val {
  const reduction = b.op('v128.and', b.op('i8x16.shr_s', bytes, b.i32(7)), splat(b, 1, 0x1b));
  return b.op('v128.xor', b.op('i8x16.shl', bytes, b.i32(1)), reduction);
}

/** Each byte of x times the byte of y in its place. */
export function multiply(b: Sem, x: Val, y: Val): Val {
  let product: Val = splat(b, 1, 0);
  let factor = x;
  for (let bit = 0; bit < 8; bit++) {
    const chosen = b.op('i8x16.shr_s', b.op('i8x16.shl', y, b.i32(7 - bit)), b.i32(7));
    product = b.op('v128.xor', product, b.op('v128.and', factor, chosen));
    factor = double(b, factor);
  }
  return product;
}

/** Each byte replaced by its entry in a table of 256: sixteen lookups of which all but one give zero. */
export function substitute(b: Sem, bytes: Val, table: Uint8Array): Val {
  let result: Val | undefined;
  for (let row = 0; row < 256; row += 16) {
    const entries = b.op(
      'i8x16.swizzle',
      b.v128([...table.subarray(row, row + 16)]),
      b.op('v128.xor', bytes, splat(b, 1, row)),
    );
    result = result === undefined ? entries : b.op('v128.or', result, entries);
  }
  return result!;
}
