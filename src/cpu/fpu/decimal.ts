/** Packed decimal integers of FBLD and FBSTP: 18 digits, sign in bit 79 (SDM Vol. 1, "BCD and Packed BCD Integers"). */
import { type FloatValue, finite } from './format.ts';

export const DECIMAL_DIGITS = 18;
export const INDEFINITE_DECIMAL = 0xffff_c000_0000_0000_0000n;

const SIGN_BIT = 1n << 79n;

/** Digits above 9 count with their value, as processors do. */
export function decimalFromPacked(bits: bigint): FloatValue {
  let value = 0n;
  for (let digit = DECIMAL_DIGITS - 1; digit >= 0; digit--) value = value * 10n + ((bits >> BigInt(4 * digit)) & 15n);
  return finite((bits & SIGN_BIT) === 0n ? 0 : 1, value, 0);
}

export function packedFromDecimal(value: bigint, negative: boolean): bigint {
  const digits = BigInt(`0x${(value < 0n ? -value : value).toString(10)}`);
  return negative ? digits | SIGN_BIT : digits;
}
