/** Binary floating-point formats, and values taken apart: half, single, double and the x87's 80-bit extended. */

/** Exponents are those of the leading bit of a normal number. */
export interface Format {
  readonly name: 'half' | 'single' | 'double' | 'extended';
  readonly bits: 16 | 32 | 64 | 80;
  /** significant bits, the leading one included */
  readonly precision: number;
  readonly minExponent: number;
  readonly maxExponent: number;
  /** what an unmasked overflow or underflow adds to or takes from the exponent (SDM Vol. 1, "Numeric Overflow Exception") */
  readonly biasAdjust: number;
}

/** Only a storage format: unmasked exceptions leave no result, so there is nothing to adjust. */
export const HALF: Format = {
  name: 'half',
  bits: 16,
  precision: 11,
  minExponent: -14,
  maxExponent: 15,
  biasAdjust: 0,
};
export const SINGLE: Format = {
  name: 'single',
  bits: 32,
  precision: 24,
  minExponent: -126,
  maxExponent: 127,
  biasAdjust: 192,
};
export const DOUBLE: Format = {
  name: 'double',
  bits: 64,
  precision: 53,
  minExponent: -1022,
  maxExponent: 1023,
  biasAdjust: 1536,
};
export const EXTENDED: Format = {
  name: 'extended',
  bits: 80,
  precision: 64,
  minExponent: -16382,
  maxExponent: 16383,
  biasAdjust: 24576,
};

/** A number taken apart. */
export interface FloatValue {
  /** unsupported: an 80-bit pattern that no operation accepts (pseudo-NaN, pseudo-infinity, unnormal) */
  readonly kind: 'zero' | 'finite' | 'infinity' | 'nan' | 'unsupported';
  readonly sign: 0 | 1;
  /** finite: significand x 2^exponent; NaN: the 64-bit significand of the extended format */
  readonly significand: bigint;
  readonly exponent: number;
  /** finite, encoded with the least exponent and without a leading bit */
  readonly denormal: boolean;
  /** NaN whose quiet bit is clear */
  readonly signalling: boolean;
}

export const QUIET_BIT = 1n << 62n;
const LEADING_BIT = 1n << 63n;

export const zero = (sign: 0 | 1): FloatValue => make('zero', sign, 0n, 0);
export const infinity = (sign: 0 | 1): FloatValue => make('infinity', sign, LEADING_BIT, 0);
export const finite = (sign: 0 | 1, significand: bigint, exponent: number, denormal = false): FloatValue =>
  significand === 0n ? zero(sign) : make('finite', sign, significand, exponent, denormal);
export const nan = (sign: 0 | 1, significand: bigint): FloatValue => {
  const whole = significand | LEADING_BIT;
  return make('nan', sign, whole, 0, false, (whole & QUIET_BIT) === 0n);
};
/** What a masked invalid operation gives ("QNaN floating-point indefinite"). */
export const INDEFINITE: FloatValue = nan(1, QUIET_BIT);

function make(
  kind: FloatValue['kind'],
  sign: 0 | 1,
  significand: bigint,
  exponent: number,
  denormal = false,
  signalling = false,
): FloatValue {
  return { kind, sign, significand, exponent, denormal, signalling };
}

/** An exact integer. */
export const fromInt = (integer: bigint): FloatValue =>
  finite(integer < 0n ? 1 : 0, integer < 0n ? -integer : integer, 0);

export const negated = (value: FloatValue): FloatValue => ({ ...value, sign: value.sign === 0 ? 1 : 0 });
export const magnitude = (value: FloatValue): FloatValue => ({ ...value, sign: 0 });
export const quieted = (value: FloatValue): FloatValue => nan(value.sign, value.significand | QUIET_BIT);

/** Number of significant bits of a positive integer. */
export function bitLength(value: bigint): number {
  const digits = value.toString(16);
  return 4 * digits.length - Math.clz32(Number.parseInt(digits[0]!, 16)) + 28;
}

/** Takes a bit pattern apart. */
export function unpack(bits: bigint, format: Format): FloatValue {
  return format.name === 'extended' ? unpackExtended(bits) : unpackInterchange(bits, format);
}

function unpackInterchange(bits: bigint, { precision, minExponent, maxExponent, bits: width }: Format): FloatValue {
  const fractionBits = precision - 1;
  const sign = (bits >> BigInt(width - 1)) & 1n ? 1 : 0;
  const fraction = bits & ((1n << BigInt(fractionBits)) - 1n);
  const field = Number((bits >> BigInt(fractionBits)) & ((1n << BigInt(width - precision)) - 1n));
  if (field === 2 * maxExponent + 1)
    return fraction === 0n ? infinity(sign) : nan(sign, fraction << BigInt(64 - precision));
  if (field === 0) return finite(sign, fraction, minExponent - fractionBits, true);
  return finite(sign, fraction | (1n << BigInt(fractionBits)), field - maxExponent - fractionBits);
}

function unpackExtended(bits: bigint): FloatValue {
  const significand = bits & 0xffff_ffff_ffff_ffffn;
  const top = Number(bits >> 64n);
  const sign = top & 0x8000 ? 1 : 0;
  const field = top & 0x7fff;
  const hasLeadingBit = (significand & LEADING_BIT) !== 0n;
  // a pseudo-denormal (leading bit with exponent field 0) is a denormal operand of the value it spells
  if (field === 0) return finite(sign, significand, EXTENDED.minExponent - 63, true);
  if (!hasLeadingBit) return make('unsupported', sign, significand, 0);
  if (field === 0x7fff) return significand === LEADING_BIT ? infinity(sign) : nan(sign, significand);
  return finite(sign, significand, field - 16383 - 63);
}

/** The bit pattern of a value that fits the format exactly (as rounding leaves it). */
export function pack(value: FloatValue, format: Format): bigint {
  const { precision, minExponent, maxExponent, bits: width } = format;
  const explicit = format.name === 'extended';
  const fractionBits = explicit ? 64 : precision - 1;
  const fractionMask = (1n << BigInt(fractionBits)) - 1n;
  const join = (field: number, fraction: bigint): bigint =>
    (BigInt(value.sign) << BigInt(width - 1)) | (BigInt(field) << BigInt(fractionBits)) | (fraction & fractionMask);
  switch (value.kind) {
    case 'zero':
      return join(0, 0n);
    case 'infinity':
      return join(2 * maxExponent + 1, explicit ? LEADING_BIT : 0n);
    case 'nan':
      return join(2 * maxExponent + 1, explicit ? value.significand : value.significand >> BigInt(64 - precision));
    default: {
      const length = bitLength(value.significand);
      const leading = value.exponent + length - 1;
      if (leading < minExponent)
        return join(0, shifted(value.significand, value.exponent - (minExponent - precision + 1)));
      return join(leading + maxExponent, shifted(value.significand, precision - length));
    }
  }
}

function shifted(value: bigint, left: number): bigint {
  return left >= 0 ? value << BigInt(left) : value >> BigInt(-left);
}
