/**
 * The x87's transcendental functions of finite, non-zero arguments, by series over fixed-point integers. Far more bits
 * than the 64 of a result are kept, so results are correctly rounded except where a value lies within 2^-100 of a tie.
 */
import { type FloatEnvironment, integerRoot, round } from './arithmetic.ts';
import { bitLength, EXTENDED, type FloatValue, finite } from './format.ts';

/** Fixed point: an integer n stands for n / 2^FRACTION. Arguments up to 2^63 lose this much to the reduction modulo pi/2. */
const FRACTION = 320;
const F = BigInt(FRACTION);
const ONE = 1n << F;
/** Below 2^-TINY the first term of a series is the result, but for a bit that says "not exactly". */
const TINY = 128;

const multiply = (a: bigint, b: bigint): bigint => (a * b) >> F;
const divide = (a: bigint, b: bigint): bigint => (a << F) / b;

/** Sum of x^(2i+1) / (2i+1), with alternating signs for the arc tangent. */
function oddSeries(x: bigint, alternating: boolean): bigint {
  const square = multiply(x, x);
  let sum = 0n;
  let power = x;
  for (let i = 1n; power !== 0n && power !== -1n; i += 2n) {
    const term = power / i;
    sum += alternating && i % 4n === 3n ? -term : term;
    power = multiply(power, square);
  }
  return sum;
}

const areaTangent = (x: bigint): bigint => oddSeries(x, false);
const reciprocal = (n: bigint): bigint => ONE / n;

const PI = 16n * oddSeries(reciprocal(5n), true) - 4n * oddSeries(reciprocal(239n), true);
const LN2 = 2n * areaTangent(reciprocal(3n));
const LN10 = 3n * LN2 + 2n * areaTangent(reciprocal(9n));

/** Fixed-point constants with `fractionBits` after the point. */
export const constants = {
  fractionBits: FRACTION,
  pi: PI,
  ln2: LN2,
  log2Of10: divide(LN10, LN2),
  log2OfE: divide(ONE, LN2),
  log10Of2: divide(LN2, LN10),
} as const;

/** A value near to significand x 2^exponent, and not equal to it. */
interface Approximation {
  readonly significand: bigint;
  readonly exponent: number;
}

const approximate = (significand: bigint, exponent = -FRACTION): Approximation => ({ significand, exponent });

/** Rounds an approximation; it is inexact. */
export function rounded(env: FloatEnvironment, { significand, exponent }: Approximation): FloatValue {
  const size = significand < 0n ? -significand : significand;
  const spread = Math.max(0, TINY - bitLength(size));
  return round(env, significand < 0n ? 1 : 0, ((size << BigInt(spread)) << 1n) | 1n, exponent - spread - 1, EXTENDED);
}

const leadingExponent = (x: FloatValue): number => x.exponent + bitLength(x.significand) - 1;
const isTiny = (x: FloatValue): boolean => leadingExponent(x) < -TINY;
const signed = (x: FloatValue): bigint => (x.sign === 0 ? x.significand : -x.significand);

/** x itself, a little nearer to zero. */
const justBelow = (x: FloatValue): Approximation => {
  const size = (x.significand << F) - 1n;
  return approximate(x.sign === 0 ? size : -size, x.exponent - FRACTION);
};

function fixed(x: FloatValue): bigint {
  const shift = FRACTION + x.exponent;
  return shift >= 0 ? signed(x) << BigInt(shift) : signed(x) >> BigInt(-shift);
}

/** 2^x - 1 for |x| <= 1. */
export function exponentialMinusOne(x: FloatValue): Approximation {
  if (isTiny(x)) return approximate(signed(x) * LN2, x.exponent - FRACTION);
  const z = multiply(fixed(x), LN2);
  let sum = 0n;
  let term = z;
  for (let i = 2n; term !== 0n && term !== -1n; i++) {
    sum += term;
    term = multiply(term, z) / i;
  }
  return approximate(sum);
}

/** log2(x), x > 0; exact only where x is a power of two, which the caller has dealt with. */
export function logarithm(x: FloatValue): Approximation {
  let power = leadingExponent(x);
  let mantissa = shift(x.significand, FRACTION + x.exponent - power);
  if (multiply(mantissa, mantissa) > 2n * ONE) {
    mantissa >>= 1n;
    power++;
  }
  const natural = 2n * areaTangent(divide(mantissa - ONE, mantissa + ONE));
  return approximate((BigInt(power) << F) + divide(natural, LN2));
}

/** log2(1 + x), x > -1. */
export function logarithmOfOnePlus(x: FloatValue): Approximation {
  if (isTiny(x)) return approximate((signed(x) * ONE * ONE) / LN2, x.exponent - FRACTION);
  const f = fixed(x);
  if (leadingExponent(x) >= 0) return logarithm(finite(0, f + ONE, -FRACTION));
  return approximate(divide(2n * areaTangent(divide(f, 2n * ONE + f)), LN2));
}

/** The exponent of two if x is a power of it. */
export function powerOfTwo(x: FloatValue): number | undefined {
  const length = bitLength(x.significand);
  return x.sign === 0 && x.significand === 1n << BigInt(length - 1) ? x.exponent + length - 1 : undefined;
}

/** y times an approximation. */
export function scaledBy(y: FloatValue, { significand, exponent }: Approximation): Approximation {
  return approximate(signed(y) * significand, y.exponent + exponent);
}

/** Sine and cosine of a fixed-point angle of at most pi/4. */
function sineAndCosine(angle: bigint): { sine: bigint; cosine: bigint } {
  const square = multiply(angle, angle);
  const series = (first: bigint, start: bigint): bigint => {
    let sum = 0n;
    let term = first;
    for (let i = start; term !== 0n && term !== -1n; i += 2n) {
      sum += term;
      term = -multiply(term, square) / (i * (i + 1n));
    }
    return sum;
  };
  return { sine: series(angle, 2n), cosine: series(ONE, 1n) };
}

/** The 66 bits of pi that processors reduce angles with (SDM Vol. 1, "Approximation of Pi"). */
const REDUCTION_PI = 0xc90f_daa2_2168_c234_cn << (F - 66n);

export interface Angle {
  readonly sine: Approximation;
  readonly cosine: Approximation;
  readonly tangent: Approximation;
}

/** Sine, cosine and tangent of |x| < 2^63 radians. */
export function circular(x: FloatValue): Angle {
  if (isTiny(x)) {
    const above = approximate(signed(x) * ONE + (x.sign === 0 ? 1n : -1n), x.exponent - FRACTION);
    return { sine: justBelow(x), cosine: approximate(ONE - 1n), tangent: above };
  }
  const angle = fixed(x);
  const quarter = REDUCTION_PI >> 1n;
  const turns = (2n * angle + quarter) / (2n * quarter) - (2n * angle + quarter < 0n ? 1n : 0n);
  const { sine, cosine } = sineAndCosine(angle - turns * quarter);
  const quadrant = Number(BigInt.asUintN(2, turns));
  const sines = [sine, cosine, -sine, -cosine];
  const sinX = sines[quadrant]!;
  const cosX = sines[(quadrant + 1) & 3]!;
  // the quotient of two values below one keeps its leading bits where the cosine is small
  return { sine: approximate(sinX), cosine: approximate(cosX), tangent: approximate(divide(sinX, cosX)) };
}

/** Arc tangent of 0 < t <= 1, fixed point. */
function arcTangent(t: bigint): bigint {
  let small = t;
  const halvings = 3;
  for (let i = 0; i < halvings; i++) {
    const hypotenuse = integerRoot((ONE + multiply(small, small)) << F);
    small = divide(small, ONE + hypotenuse);
  }
  return oddSeries(small, true) << BigInt(halvings);
}

/** The angle of the point (x, y), both finite and not zero, in (-pi, pi). */
export function arcTangentOfQuotient(y: FloatValue, x: FloatValue): Approximation {
  const sign = y.sign === 0 ? 1n : -1n;
  const distance = leadingExponent(y) - leadingExponent(x);
  if (distance > TINY) return approximate(sign * (PI >> 1n));
  if (distance < -TINY) {
    if (x.sign === 1) return approximate(sign * PI);
    const quotient = (y.significand << F) / x.significand;
    return approximate(sign * (quotient - 1n), y.exponent - x.exponent - FRACTION);
  }
  // exact quotient at fixed point: both significands moved to the same exponent
  const least = Math.min(x.exponent, y.exponent);
  const height = y.significand << BigInt(y.exponent - least);
  const width = x.significand << BigInt(x.exponent - least);
  const acute = height <= width ? arcTangent(divide(height, width)) : (PI >> 1n) - arcTangent(divide(width, height));
  return approximate(sign * (x.sign === 0 ? acute : PI - acute));
}

function shift(value: bigint, left: number): bigint {
  return left >= 0 ? value << BigInt(left) : value >> BigInt(-left);
}
