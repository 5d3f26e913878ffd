/** IEEE 754 arithmetic as x86 does it: exact integers inside, one rounding, the flags of MXCSR and the x87 status word. */
import {
  bitLength,
  type FloatValue,
  type Format,
  finite,
  INDEFINITE,
  infinity,
  negated,
  quieted,
  zero,
} from './format.ts';
import { Exception } from './x87-state.ts';

/** Rounding control, as in MXCSR and the x87 control word. */
export const Rounding = { Nearest: 0, Down: 1, Up: 2, Zero: 3 } as const;

/** Where results round and exceptions accumulate: a copy of what MXCSR or the control word says, for one operation. */
export class FloatEnvironment {
  rounding: number = Rounding.Nearest;
  /** 1 = masked, bits of `Exception` */
  masks = 0x3f;
  flags = 0;
  flushToZero = false;
  denormalsAreZero = false;
  /** x87 picks the NaN with the larger significand, SSE the first operand */
  largerNan = false;
  /** the last rounding went away from zero (C1) */
  roundedUp = false;
  /** the bits a result is rounded to where that is less than the format has (x87 precision control) */
  precision: number | undefined;

  signal(flags: number): void {
    this.flags |= flags;
  }
  /** Exceptions met that are not masked. */
  get unmasked(): number {
    return this.flags & ~this.masks;
  }
}

/** Rounds `significand` to a multiple of 2^drop; says whether it was inexact and went up. */
function roundBits(
  significand: bigint,
  drop: number,
  sign: 0 | 1,
  rounding: number,
): { kept: bigint; inexact: boolean; up: boolean } {
  if (drop <= 0) return { kept: significand << BigInt(-drop), inexact: false, up: false };
  const kept = significand >> BigInt(drop);
  const rest = significand - (kept << BigInt(drop));
  if (rest === 0n) return { kept, inexact: false, up: false };
  let up: boolean;
  if (rounding === Rounding.Nearest) {
    const half = 1n << BigInt(drop - 1);
    up = rest > half || (rest === half && (kept & 1n) === 1n);
  } else {
    up = rounding === (sign === 0 ? Rounding.Up : Rounding.Down);
  }
  return { kept: up ? kept + 1n : kept, inexact: true, up };
}

/** Rounds sign x significand x 2^exponent into the format; overflow, underflow and inexactness are signalled. */
export function round(
  env: FloatEnvironment,
  sign: 0 | 1,
  significand: bigint,
  exponent: number,
  format: Format,
): FloatValue {
  if (significand === 0n) return zero(sign);
  const precision = env.precision ?? format.precision;
  const { minExponent, maxExponent, biasAdjust } = format;
  const length = bitLength(significand);
  const unbounded = roundBits(significand, length - precision, sign, env.rounding);
  const lowest = exponent + length - precision;
  const leading = lowest + bitLength(unbounded.kept) - 1;
  const inexactFlag = unbounded.inexact ? Exception.Precision : 0;
  // only FSCALE gets so far that even an adjusted exponent does not fit; a narrowing store has no result at all then
  const beyondFlag = format.name === 'extended' ? Exception.Precision : inexactFlag;
  env.roundedUp = unbounded.up;

  if (leading > maxExponent) {
    if ((env.masks & Exception.Overflow) === 0) {
      const reachable = leading - biasAdjust <= maxExponent;
      env.signal(Exception.Overflow | (reachable ? inexactFlag : beyondFlag));
      if (reachable) return finite(sign, unbounded.kept, lowest - biasAdjust);
      env.roundedUp = true;
      return infinity(sign);
    }
    env.signal(Exception.Overflow | Exception.Precision);
    const toInfinity = env.rounding === Rounding.Nearest || env.rounding === (sign === 0 ? Rounding.Up : Rounding.Down);
    env.roundedUp = toInfinity;
    if (toInfinity) return infinity(sign);
    return finite(sign, (1n << BigInt(precision)) - 1n, maxExponent - precision + 1);
  }
  if (leading < minExponent) {
    if ((env.masks & Exception.Underflow) === 0) {
      const reachable = leading + biasAdjust >= minExponent;
      env.signal(Exception.Underflow | (reachable ? inexactFlag : beyondFlag));
      if (reachable) return finite(sign, unbounded.kept, lowest + biasAdjust);
      env.roundedUp = false;
      return zero(sign);
    }
    if (env.flushToZero) {
      env.roundedUp = false;
      env.signal(Exception.Underflow | Exception.Precision);
      return zero(sign);
    }
    const least = minExponent - precision + 1;
    const { kept, inexact, up } = roundBits(significand, least - exponent, sign, env.rounding);
    env.roundedUp = up;
    if (inexact) env.signal(Exception.Underflow | Exception.Precision);
    return finite(sign, kept, least);
  }
  env.signal(inexactFlag);
  return finite(sign, unbounded.kept, lowest);
}

/** Result for operands of which at least one is a NaN or unsupported; undefined if none is. */
export function propagateNan(env: FloatEnvironment, a: FloatValue, b: FloatValue = a): FloatValue | undefined {
  if (a.kind === 'unsupported' || b.kind === 'unsupported') {
    env.signal(Exception.Invalid);
    return INDEFINITE;
  }
  if (a.kind !== 'nan' && b.kind !== 'nan') return undefined;
  if (a.signalling || b.signalling) env.signal(Exception.Invalid);
  if (b.kind !== 'nan') return quieted(a);
  if (a.kind !== 'nan') return quieted(b);
  if (!env.largerNan) return quieted(a);
  if (a.signalling !== b.signalling) return quieted(a.signalling ? b : a);
  if (a.significand !== b.significand) return quieted(a.significand > b.significand ? a : b);
  return quieted(a.sign === 0 ? a : b);
}

export function invalid(env: FloatEnvironment): FloatValue {
  env.signal(Exception.Invalid);
  return INDEFINITE;
}

/** Operand as the environment sees it: with DAZ a denormal is a zero of its sign. */
export function operand(env: FloatEnvironment, value: FloatValue): FloatValue {
  return value.denormal && env.denormalsAreZero ? zero(value.sign) : value;
}

function noteDenormals(env: FloatEnvironment, ...values: readonly FloatValue[]): void {
  if (values.some((value) => value.denormal)) env.signal(Exception.Denormal);
}

/** Distance of exponents beyond which the smaller operand of an addition only matters as "not zero". */
const FAR = 160;

export function add(env: FloatEnvironment, left: FloatValue, right: FloatValue, format: Format): FloatValue {
  const a = operand(env, left);
  const b = operand(env, right);
  const special = propagateNan(env, a, b);
  if (special) return special;
  if (a.kind === 'infinity' && b.kind === 'infinity' && a.sign !== b.sign) return invalid(env);
  noteDenormals(env, a, b);
  return addExact(env, a, b, format);
}

/** The rounded sum of two values that are no NaN, and not infinities of different sign. */
function addExact(env: FloatEnvironment, a: FloatValue, b: FloatValue, format: Format): FloatValue {
  if (a.kind === 'infinity') return a;
  if (b.kind === 'infinity') return b;
  const zeroSign = a.sign === b.sign ? a.sign : env.rounding === Rounding.Down ? 1 : 0;
  if (a.kind === 'zero' && b.kind === 'zero') return zero(zeroSign);
  if (a.kind === 'zero') return round(env, b.sign, b.significand, b.exponent, format);
  if (b.kind === 'zero') return round(env, a.sign, a.significand, a.exponent, format);
  let [high, low] = a.exponent >= b.exponent ? [a, b] : [b, a];
  if (high.exponent - low.exponent > FAR) {
    high = finite(high.sign, high.significand << BigInt(FAR), high.exponent - FAR);
    low = finite(low.sign, 1n, high.exponent);
  }
  const signed = (value: FloatValue): bigint => (value.sign === 0 ? value.significand : -value.significand);
  const sum = (signed(high) << BigInt(high.exponent - low.exponent)) + signed(low);
  if (sum === 0n) return zero(zeroSign);
  return round(env, sum < 0n ? 1 : 0, sum < 0n ? -sum : sum, low.exponent, format);
}

/** left - right; a NaN keeps its sign. */
export function subtract(env: FloatEnvironment, left: FloatValue, right: FloatValue, format: Format): FloatValue {
  return add(env, left, right.kind === 'nan' ? right : negated(right), format);
}

export function multiply(env: FloatEnvironment, left: FloatValue, right: FloatValue, format: Format): FloatValue {
  const a = operand(env, left);
  const b = operand(env, right);
  const special = propagateNan(env, a, b);
  if (special) return special;
  const sign = a.sign === b.sign ? 0 : 1;
  if ((a.kind === 'infinity' && b.kind === 'zero') || (a.kind === 'zero' && b.kind === 'infinity')) return invalid(env);
  noteDenormals(env, a, b);
  if (a.kind === 'infinity' || b.kind === 'infinity') return infinity(sign);
  if (a.kind === 'zero' || b.kind === 'zero') return zero(sign);
  return round(env, sign, a.significand * b.significand, a.exponent + b.exponent, format);
}

/** left x right + addend with one rounding; the NaN of the first operand that is one wins (SDM Vol. 1, "Fused-Multiply-ADD Numeric Behavior"). */
export function multiplyAdd(
  env: FloatEnvironment,
  left: FloatValue,
  right: FloatValue,
  addend: FloatValue,
  format: Format,
): FloatValue {
  const [a, b, c] = [operand(env, left), operand(env, right), operand(env, addend)];
  const special = propagateNan(env, a, b);
  if (special) {
    if (c.signalling) env.signal(Exception.Invalid);
    return special;
  }
  const noProduct = (a.kind === 'infinity' && b.kind === 'zero') || (a.kind === 'zero' && b.kind === 'infinity');
  if (c.kind === 'nan') return propagateNan(env, c)!;
  const sign = a.sign === b.sign ? 0 : 1;
  const isInfinite = a.kind === 'infinity' || b.kind === 'infinity';
  if (noProduct || (isInfinite && c.kind === 'infinity' && c.sign !== sign)) return invalid(env);
  noteDenormals(env, a, b, c);
  if (isInfinite) return infinity(sign);
  const product =
    a.kind === 'zero' || b.kind === 'zero'
      ? zero(sign)
      : finite(sign, a.significand * b.significand, a.exponent + b.exponent);
  return addExact(env, product, c, format);
}

/** Enough quotient and root bits that a sticky last bit decides every rounding. */
const GUARD_BITS = 70;

export function divide(env: FloatEnvironment, left: FloatValue, right: FloatValue, format: Format): FloatValue {
  const a = operand(env, left);
  const b = operand(env, right);
  const special = propagateNan(env, a, b);
  if (special) return special;
  const sign = a.sign === b.sign ? 0 : 1;
  if (a.kind === b.kind && (a.kind === 'infinity' || a.kind === 'zero')) return invalid(env);
  if (b.kind === 'zero') {
    if (a.kind === 'finite') env.signal(Exception.ZeroDivide);
    return infinity(sign);
  }
  noteDenormals(env, a, b);
  if (a.kind === 'infinity') return infinity(sign);
  if (a.kind === 'zero' || b.kind === 'infinity') return zero(sign);
  const shift = Math.max(0, GUARD_BITS + bitLength(b.significand) - bitLength(a.significand));
  const numerator = a.significand << BigInt(shift);
  const quotient = numerator / b.significand;
  const sticky = quotient * b.significand === numerator ? 0n : 1n;
  return round(env, sign, (quotient << 1n) | sticky, a.exponent - b.exponent - shift - 1, format);
}

export function squareRoot(env: FloatEnvironment, value: FloatValue, format: Format): FloatValue {
  const a = operand(env, value);
  const special = propagateNan(env, a);
  if (special) return special;
  if (a.kind === 'zero') return a;
  if (a.sign === 1) return invalid(env);
  noteDenormals(env, a);
  if (a.kind === 'infinity') return a;
  let shift = Math.max(0, 2 * GUARD_BITS - bitLength(a.significand));
  if ((a.exponent - shift) % 2 !== 0) shift++;
  const radicand = a.significand << BigInt(shift);
  const root = integerRoot(radicand);
  const sticky = root * root === radicand ? 0n : 1n;
  return round(env, 0, (root << 1n) | sticky, (a.exponent - shift) / 2 - 1, format);
}

/** Largest integer whose square is not above `value`. */
export function integerRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let guess = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

export type Ordering = 'less' | 'equal' | 'greater' | 'unordered';

/** Compares; a signalling NaN, or with `signalQuiet` any NaN, is invalid. */
export function compare(env: FloatEnvironment, left: FloatValue, right: FloatValue, signalQuiet: boolean): Ordering {
  const a = operand(env, left);
  const b = operand(env, right);
  if (a.kind === 'unsupported' || b.kind === 'unsupported') {
    env.signal(Exception.Invalid);
    return 'unordered';
  }
  if (a.kind === 'nan' || b.kind === 'nan') {
    if (signalQuiet || a.signalling || b.signalling) env.signal(Exception.Invalid);
    return 'unordered';
  }
  noteDenormals(env, a, b);
  return order(a, b);
}

/** Order of two values that are numbers or infinities. */
export function order(a: FloatValue, b: FloatValue): Exclude<Ordering, 'unordered'> {
  if (a.kind === 'zero' && b.kind === 'zero') return 'equal';
  const signOf = (value: FloatValue): number => (value.kind === 'zero' ? 0 : value.sign === 0 ? 1 : -1);
  if (signOf(a) !== signOf(b)) return signOf(a) < signOf(b) ? 'less' : 'greater';
  const size = orderMagnitudes(a, b);
  if (size === 0) return 'equal';
  return size < 0 === (a.sign === 0) ? 'less' : 'greater';
}

function orderMagnitudes(a: FloatValue, b: FloatValue): number {
  if (a.kind === 'infinity' || b.kind === 'infinity')
    return Number(a.kind === 'infinity') - Number(b.kind === 'infinity');
  const leading = (value: FloatValue): number => value.exponent + bitLength(value.significand);
  if (leading(a) !== leading(b)) return leading(a) - leading(b);
  const least = Math.min(a.exponent, b.exponent);
  const x = a.significand << BigInt(a.exponent - least);
  const y = b.significand << BigInt(b.exponent - least);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The value in another format. Narrowing rounds; a signalling NaN is invalid and becomes quiet. `denormals`: a denormal source is signalled. */
export function convert(env: FloatEnvironment, value: FloatValue, format: Format, denormals = true): FloatValue {
  const a = operand(env, value);
  const special = propagateNan(env, a);
  if (special) return special;
  if (denormals) noteDenormals(env, a);
  return a.kind === 'finite' ? round(env, a.sign, a.significand, a.exponent, format) : a;
}

/** Rounds to an integer; exact magnitude with sign. Inexactness is signalled. The value is finite or zero. */
function integerOf(env: FloatEnvironment, a: FloatValue, rounding: number): { integer: bigint; inexact: boolean } {
  if (a.kind === 'zero') return { integer: 0n, inexact: false };
  const { kept, inexact, up } = roundBits(a.significand, clampDrop(-a.exponent), a.sign, rounding);
  env.roundedUp = up;
  return { integer: a.sign === 0 ? kept : -kept, inexact };
}

/** No significand is longer than this, so dropping more bits changes nothing. */
const clampDrop = (drop: number): number => Math.min(drop, 256);

/** To a signed integer of `bits`; undefined (the integer indefinite) where it does not fit, which is invalid. */
export function toInteger(
  env: FloatEnvironment,
  value: FloatValue,
  bits: number,
  rounding = env.rounding,
): bigint | undefined {
  const a = operand(env, value);
  if ((a.kind === 'finite' || a.kind === 'zero') && a.exponent <= bits) {
    const { integer, inexact } = integerOf(env, a, rounding);
    if (BigInt.asIntN(bits, integer) === integer) {
      if (inexact) env.signal(Exception.Precision);
      return integer;
    }
  }
  env.roundedUp = false;
  env.signal(Exception.Invalid);
  return undefined;
}

export function fromInteger(env: FloatEnvironment, integer: bigint, format: Format): FloatValue {
  return round(env, integer < 0n ? 1 : 0, integer < 0n ? -integer : integer, 0, format);
}

/** To the nearest integral value in the same format. `quiet`: inexactness is not signalled. */
export function toIntegral(
  env: FloatEnvironment,
  value: FloatValue,
  rounding = env.rounding,
  quiet = false,
): FloatValue {
  const a = operand(env, value);
  const special = propagateNan(env, a);
  if (special) return special;
  if (a.kind !== 'finite' || a.exponent >= 0) return a;
  const { integer, inexact } = integerOf(env, a, rounding);
  if (inexact && !quiet) env.signal(Exception.Precision);
  return finite(a.sign, integer < 0n ? -integer : integer, 0);
}
