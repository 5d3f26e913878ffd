/** F2XM1, FYL2X, FYL2XP1, FPTAN, FPATAN, FSIN, FCOS, FSINCOS, and the exact FSCALE, FXTRACT, FPREM and FPREM1. */
import { type FloatEnvironment, invalid, propagateNan, round } from '../fpu/arithmetic.ts';
import {
  bitLength,
  EXTENDED,
  type FloatValue,
  finite,
  fromInt,
  INDEFINITE,
  infinity,
  pack,
  zero,
} from '../fpu/format.ts';
import type { RegisterStack } from '../fpu/register-stack.ts';
import {
  type Angle,
  arcTangentOfQuotient,
  circular,
  constants,
  exponentialMinusOne,
  logarithm,
  logarithmOfOnePlus,
  powerOfTwo,
  rounded,
  scaledBy,
} from '../fpu/transcendental.ts';
import { Exception, isEmpty, Status } from '../fpu/x87-state.ts';
import type { Processor } from '../processor.ts';
import type { Operation, OperationTable } from './sem.ts';
import { x87 } from './x87-operand.ts';

const opposite = (sign: 0 | 1): 0 | 1 => (sign === 0 ? 1 : 0);
const ONE = finite(0, 1n, 0);

function noteDenormal(env: FloatEnvironment, ...values: readonly FloatValue[]): void {
  if (values.some((value) => value.denormal)) env.signal(Exception.Denormal);
}

/** ST(0) becomes `first`, then `second` is pushed; with a full stack both are the indefinite. */
function replaceAndPush(stack: RegisterStack, cpu: Processor, first: FloatValue, second: FloatValue): void {
  const full = !isEmpty(cpu, 7);
  if (full) stack.signalOverflow();
  if (stack.refused) return;
  stack.set(0, full ? INDEFINITE : first);
  stack.push(pack(full ? INDEFINITE : second, EXTENDED));
}

/** ST(1) = f(ST(1), ST(0)), and pops. */
const binary = (evaluate: (env: FloatEnvironment, y: FloatValue, x: FloatValue) => FloatValue): Operation =>
  x87((stack) => {
    const result = stack.underflows(0, 1)
      ? INDEFINITE
      : (propagateNan(stack.env, stack.value(1), stack.value(0)) ??
        evaluate(stack.env, stack.value(1), stack.value(0)));
    if (!stack.refused) {
      stack.set(1, result);
      stack.pop();
    }
    stack.settle();
  });

const leadingExponent = (x: FloatValue): number => x.exponent + bitLength(x.significand) - 1;

/** 2^x - 1; arguments beyond 1 in magnitude are undefined and given back. */
function f2xm1(env: FloatEnvironment, x: FloatValue): FloatValue {
  if (x.kind === 'zero') return x;
  if (x.kind === 'infinity') return x.sign === 0 ? x : finite(1, 1n, 0);
  noteDenormal(env, x);
  const isOne = leadingExponent(x) === 0 && powerOfTwo({ ...x, sign: 0 }) === 0;
  if (isOne) return x.sign === 0 ? ONE : finite(1, 1n, -1);
  if (leadingExponent(x) >= 0) return x;
  return rounded(env, exponentialMinusOne(x));
}

/** y times a logarithm that is zero, infinite or of the given sign. */
function timesSpecial(env: FloatEnvironment, y: FloatValue, log: FloatValue): FloatValue {
  const sign = y.sign === log.sign ? 0 : 1;
  if ((y.kind === 'zero' && log.kind === 'infinity') || (y.kind === 'infinity' && log.kind === 'zero'))
    return invalid(env);
  if (y.kind === 'infinity' || log.kind === 'infinity') return infinity(sign);
  return zero(sign);
}

function fyl2x(env: FloatEnvironment, y: FloatValue, x: FloatValue): FloatValue {
  if (x.kind === 'zero') {
    if (y.kind === 'zero') return invalid(env);
    if (y.kind === 'finite') env.signal(Exception.ZeroDivide);
    return infinity(opposite(y.sign));
  }
  if (x.sign === 1) return invalid(env);
  if (x.kind === 'infinity') {
    if (y.kind !== 'zero') noteDenormal(env, y);
    return timesSpecial(env, y, x);
  }
  const power = powerOfTwo(x);
  const sign = leadingExponent(x) < 0 ? 1 : 0;
  if (y.kind === 'infinity' && power === 0) return invalid(env);
  noteDenormal(env, y, x);
  if (power === 0) return zero(y.sign);
  if (y.kind !== 'finite') return timesSpecial(env, y, finite(sign, 1n, 0));
  // processors call this inexact even where it is not
  env.signal(Exception.Precision);
  if (power !== undefined) {
    const product = finite(y.sign === sign ? 0 : 1, y.significand * BigInt(Math.abs(power)), y.exponent);
    if (leadingExponent(product) < EXTENDED.minExponent) env.signal(Exception.Underflow);
    return round(env, product.sign, product.significand, product.exponent, EXTENDED);
  }
  return rounded(env, scaledBy(y, logarithm(x)));
}

function fyl2xp1(env: FloatEnvironment, y: FloatValue, x: FloatValue): FloatValue {
  if (x.kind === 'infinity') return x.sign === 1 ? invalid(env) : timesSpecial(env, y, x);
  if (x.kind === 'zero') {
    if (y.kind === 'infinity') return invalid(env);
    noteDenormal(env, y);
    return zero(y.sign === x.sign ? 0 : 1);
  }
  if (x.sign === 1 && leadingExponent(x) >= 0) return invalid(env);
  noteDenormal(env, y, x);
  if (y.kind !== 'finite') return timesSpecial(env, y, finite(x.sign, 1n, 0));
  return rounded(env, scaledBy(y, logarithmOfOnePlus(x)));
}

/** A multiple of pi/4, with the sign of y. */
const eighths = (env: FloatEnvironment, sign: 0 | 1, count: bigint): FloatValue => {
  const fixedPi = constants.pi * count;
  return rounded(env, { significand: sign === 0 ? fixedPi : -fixedPi, exponent: -constants.fractionBits - 2 });
};

function fpatan(env: FloatEnvironment, y: FloatValue, x: FloatValue): FloatValue {
  noteDenormal(env, y, x);
  if (y.kind === 'infinity') return eighths(env, y.sign, x.kind !== 'infinity' ? 2n : x.sign === 0 ? 1n : 3n);
  if (y.kind === 'zero') return x.sign === 0 ? y : eighths(env, y.sign, 4n);
  if (x.kind === 'infinity') return x.sign === 0 ? zero(y.sign) : eighths(env, y.sign, 4n);
  if (x.kind === 'zero') return eighths(env, y.sign, 2n);
  return rounded(env, arcTangentOfQuotient(y, x));
}

/** Beyond 2^63 an angle is not reduced: C2 is set and nothing changes. */
const ANGLE_LIMIT = 63;

const sineOf = (env: FloatEnvironment, x: FloatValue, angle: Angle | undefined): FloatValue =>
  angle === undefined ? x : rounded(env, angle.sine);
const cosineOf = (env: FloatEnvironment, _x: FloatValue, angle: Angle | undefined): FloatValue =>
  angle === undefined ? ONE : rounded(env, angle.cosine);
const tangentOf = (env: FloatEnvironment, x: FloatValue, angle: Angle | undefined): FloatValue =>
  angle === undefined ? x : rounded(env, angle.tangent);
type PartOfAngle = typeof sineOf;

/** ST(0) = first(ST(0)); then pushes second(ST(0)) if there is one. */
const trigonometric = (first: PartOfAngle, second?: PartOfAngle): Operation =>
  x87((stack, _instruction, cpu) => {
    const { env } = stack;
    const x = stack.value(0);
    const empty = stack.underflows(0);
    const room = second === undefined || isEmpty(cpu, 7);
    if (!empty && room && x.kind === 'finite' && leadingExponent(x) >= ANGLE_LIMIT) {
      stack.setCondition2(true);
      stack.settle(false);
      return;
    }
    let results: FloatValue[];
    const special = empty ? INDEFINITE : (propagateNan(env, x) ?? (x.kind === 'infinity' ? invalid(env) : undefined));
    const parts = second === undefined ? [first] : [first, second];
    if (special) results = parts.map(() => special);
    else {
      noteDenormal(env, x);
      const angle = x.kind === 'zero' || !room ? undefined : circular(x);
      results = parts.map((part) => part(env, x, angle));
    }
    stack.setCondition2(false);
    if (second !== undefined) replaceAndPush(stack, cpu, results[0]!, results[1]!);
    else if (!stack.refused) stack.set(0, results[0]!);
    stack.settle();
  });

const one: PartOfAngle = () => ONE;

/** ST(0) x 2^trunc(ST(1)) */
function scale(env: FloatEnvironment, x: FloatValue, by: FloatValue): FloatValue {
  if (by.kind === 'infinity') {
    if (by.sign === 0 ? x.kind === 'zero' : x.kind === 'infinity') return invalid(env);
    noteDenormal(env, x);
    return by.sign === 0 ? infinity(x.sign) : zero(x.sign);
  }
  noteDenormal(env, x, by);
  if (x.kind !== 'finite' || by.kind === 'zero')
    return x.kind === 'finite' ? round(env, x.sign, x.significand, x.exponent, EXTENDED) : x;
  const whole =
    leadingExponent(by) > 16
      ? 1 << 17
      : Number(by.exponent >= 0 ? by.significand << BigInt(by.exponent) : by.significand >> BigInt(-by.exponent));
  return round(env, x.sign, x.significand, x.exponent + (by.sign === 0 ? whole : -whole), EXTENDED);
}

const fscale = x87((stack) => {
  const result = stack.underflows(0, 1)
    ? INDEFINITE
    : (propagateNan(stack.env, stack.value(0), stack.value(1)) ?? scale(stack.env, stack.value(0), stack.value(1)));
  if (!stack.refused) stack.set(0, result);
  stack.settle();
});

/** Exponent and significand of ST(0). */
function parts(env: FloatEnvironment, x: FloatValue): [exponent: FloatValue, significand: FloatValue] {
  const special = propagateNan(env, x);
  if (special) return [special, special];
  if (x.kind === 'infinity') return [infinity(0), x];
  if (x.kind === 'zero') {
    env.signal(Exception.ZeroDivide);
    return [infinity(1), x];
  }
  noteDenormal(env, x);
  const exponent = leadingExponent(x);
  return [fromInt(BigInt(exponent)), finite(x.sign, x.significand, x.exponent - exponent)];
}

const fxtract = x87((stack, _instruction, cpu) => {
  const [exponent, significand] = stack.underflows(0) ? [INDEFINITE, INDEFINITE] : parts(stack.env, stack.value(0));
  replaceAndPush(stack, cpu, exponent, significand);
  stack.settle();
});

/** Reductions by this many bits of exponent or more are done in part only. */
const COMPLETE_BELOW = 64;

const remainder = (nearest: boolean): Operation =>
  x87((stack) => {
    const { env } = stack;
    stack.setCondition2(false);
    const outcome = stack.underflows(0, 1)
      ? INVALID_REMAINDER
      : partialRemainder(env, stack.value(0), stack.value(1), nearest);
    if (stack.refused) {
      stack.settle(false);
      return;
    }
    const { result, quotient, partial } = outcome;
    stack.set(0, result);
    const bit = (n: bigint, flag: number): number => (quotient !== undefined && quotient & n ? flag : 0);
    if (partial) stack.setConditions(Status.C2);
    else if (quotient !== undefined) stack.setConditions(bit(4n, Status.C0) | bit(2n, Status.C3));
    stack.settle(bit(1n, 1) === 1);
  });

interface Remainder {
  readonly result: FloatValue;
  /** undefined where there is none to report */
  readonly quotient: bigint | undefined;
  readonly partial: boolean;
}

const INVALID_REMAINDER: Remainder = { result: INDEFINITE, quotient: undefined, partial: false };

function partialRemainder(env: FloatEnvironment, x: FloatValue, y: FloatValue, nearest: boolean): Remainder {
  const whole = (result: FloatValue, quotient: bigint): Remainder => ({ result, quotient, partial: false });
  const special = propagateNan(env, x, y);
  if (special) return { ...INVALID_REMAINDER, result: special };
  if (x.kind === 'infinity' || y.kind === 'zero') return { ...INVALID_REMAINDER, result: invalid(env) };
  noteDenormal(env, x, y);
  if (x.kind === 'zero' || y.kind === 'infinity')
    return whole(x.kind === 'zero' ? x : round(env, x.sign, x.significand, x.exponent, EXTENDED), 0n);
  const distance = leadingExponent(x) - leadingExponent(y);
  if (distance >= COMPLETE_BELOW) {
    // takes off a multiple of y that leaves the exponent between 32 and 63 lower
    const kept = distance - ((distance & 31) | 32);
    const [rest, exponent] = residue(x, { ...y, exponent: y.exponent + kept });
    return { result: signedResult(env, x.sign, rest, exponent), quotient: undefined, partial: true };
  }
  const [rest, exponent, quotient, divisor] = residue(x, y);
  const up = nearest && (2n * rest > divisor || (2n * rest === divisor && (quotient & 1n) === 1n));
  if (!up) return whole(signedResult(env, x.sign, rest, exponent), quotient);
  return whole(signedResult(env, opposite(x.sign), divisor - rest, exponent), quotient + 1n);
}

const signedResult = (env: FloatEnvironment, sign: 0 | 1, rest: bigint, exponent: number): FloatValue =>
  rest === 0n ? zero(sign) : round(env, sign, rest, exponent, EXTENDED);

/** |x| modulo |y| as an integer at an exponent, with the quotient and the divisor at that exponent. */
function residue(x: FloatValue, y: FloatValue): [rest: bigint, exponent: number, quotient: bigint, divisor: bigint] {
  const exponent = Math.min(x.exponent, y.exponent);
  const dividend = x.significand << BigInt(x.exponent - exponent);
  const divisor = y.significand << BigInt(y.exponent - exponent);
  const quotient = dividend / divisor;
  return [dividend - quotient * divisor, exponent, quotient, divisor];
}

export const x87TranscendentalOperations: OperationTable = {
  F2XM1: x87((stack) => {
    const result = stack.underflows(0)
      ? INDEFINITE
      : (propagateNan(stack.env, stack.value(0)) ?? f2xm1(stack.env, stack.value(0)));
    if (!stack.refused) stack.set(0, result);
    stack.settle();
  }),
  FYL2X: binary(fyl2x),
  FYL2XP1: binary(fyl2xp1),
  FPATAN: binary(fpatan),
  FSIN: trigonometric(sineOf),
  FCOS: trigonometric(cosineOf),
  FSINCOS: trigonometric(sineOf, cosineOf),
  FPTAN: trigonometric(tangentOf, one),
  FSCALE: fscale,
  FXTRACT: fxtract,
  FPREM: remainder(false),
  FPREM1: remainder(true),
};
