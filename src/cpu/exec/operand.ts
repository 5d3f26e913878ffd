/** What the integer operations share: widths, single bits, changing an operand, addresses next to a memory operand. */
import type { Place, Sem, Val } from './sem.ts';

export type IntegerWidth = 8 | 16 | 32 | 64;

/** Numbers of the general registers that instructions name implicitly. */
export const Register = { AX: 0, CX: 1, DX: 2, BX: 3, SP: 4, BP: 5, SI: 6, DI: 7 } as const;

/** Width in bits of a general register, integer memory or immediate operand. */
export function widthOf(place: Place): IntegerWidth {
  const { width } = place;
  if (width === 8 || width === 16 || width === 32 || width === 64) return width;
  throw new TypeError(`an integer operation cannot take an operand of ${width} bits`);
}

/** Changes `place` by `compute` and returns what was there and what is there now. */
export function change(place: Place, compute: (old: Val) => Val): { old: Val; result: Val } {
  const computed: Val[] = [];
  const old = place.modify((value) => {
    const result = compute(value);
    computed.push(result);
    return result;
  });
  return { old, result: computed[0]! };
}

/** Bit `index` of `value` as i32; the index is a number or has the type of `value`. */
export function bit(b: Sem, value: Val, index: number | Val): Val {
  return b.and(b.wrap(b.shrU(value, index)), b.i32(1));
}

/** The sign bit of `value` at `width` bits, as i32. */
export function signBit(b: Sem, width: IntegerWidth, value: Val): Val {
  return width === 32 ? b.shrU(value, 31) : bit(b, value, width - 1);
}

/** A zero-extended value at another width: i64 if that is 64, else i32 (upper bits as they come). */
export function resizeUnsigned(b: Sem, value: Val, width: IntegerWidth): Val {
  return width === 64 ? b.extendU(value) : b.wrap(value);
}

/** The value at `from` bits, sign-extended, in the type that holds `to` bits (upper bits as they come). */
export function resizeSigned(b: Sem, value: Val, from: IntegerWidth, to: IntegerWidth): Val {
  const extended = from === 64 || from === 32 ? value : b.signExtend(value, from);
  return to === 64 ? b.extendS(extended) : b.wrap(extended);
}

/** Width of a push, a pop or a near branch: in 64-bit mode there is no 32-bit one. */
export function stackWidth(b: Sem): 16 | 32 | 64 {
  if (b.facts.operandSize === 16) return 16;
  return b.facts.mode;
}

/**
 * Linear address `bytes` (i64) after a memory operand's, wrapped as an address of that size is.
 * The operation varies by mode and address size.
 */
export function linearBeyond(b: Sem, place: Place, bytes: Val): Val {
  const { mode, addressSize } = b.facts;
  const linear = b.linear(place);
  if (addressSize === 64) return b.add(linear, bytes);
  const offset = b.effectiveAddress(place);
  const moved = b.add(b.sub(linear, offset), b.zeroExtend(b.add(offset, bytes), addressSize));
  return mode === 64 ? moved : b.zeroExtend(moved, 32);
}
