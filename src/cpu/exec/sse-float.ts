/**
 * SSE floating point, generated: exact results and exact MXCSR flags wherever no flag can change (operands and result
 * ordinary numbers, nothing unmasked, and inexactness either impossible or recorded already). All else is the host's.
 */
import type { Ordering } from '../fpu/arithmetic.ts';
import { DOUBLE, SINGLE } from '../fpu/format.ts';
import type { HostOperation } from '../processor.ts';
import { S } from '../state.ts';
import type { Operation, OperationTable, Place, Sem, Val } from './sem.ts';
import {
  ARITHMETIC,
  addSubtractLanes,
  CONVERSIONS,
  compareLanes,
  compareToFlags,
  dotProduct,
  fromGeneral,
  fromMmx,
  horizontal,
  lanewise,
  PREDICATES_TRUE_FOR,
  reciprocalLanes,
  reciprocalRootLanes,
  roundLanes,
  type Suffix,
  toGeneral,
  toMmx,
} from './sse-float-host.ts';
import { lanes, readAligned, readZeroExtended, splat } from './vector-operand.ts';

/** All exceptions masked, rounding to nearest, no FTZ or DAZ, and the inexact flag set already. */
export const inexactIsFree = (b: Sem): Val => b.eq(b.and(b.state(S.mxcsr, 'i32'), b.i32(0xffe0)), b.i32(0x1fa0));

export const deferUnless = (b: Sem, condition: Val): void => b.if(b.eqz(condition), () => b.deferToHost());

const PRECISION = {
  S: { bits: 32, fraction: 23n, top: 0xffn, shape: 'f32x4', integers: 'i32x4', float: 'f32', integer: 'i32' },
  D: { bits: 64, fraction: 52n, top: 0x7ffn, shape: 'f64x2', integers: 'i64x2', float: 'f64', integer: 'i64' },
} as const;

/** One way of looking at operands: the low lane, or all lanes at once. Conditions are per lane until `all`. */
export interface Lanes {
  read(place: Place): Val;
  write(target: Place, value: Val): void;
  /** floating-point instruction by its name without the type */
  float(name: string, ...values: Val[]): Val;
  /** bits without the sign */
  magnitude(x: Val): Val;
  /** exponent field from `low` up to but not with `high` */
  exponentIn(magnitude: Val, low: number, high: number): Val;
  isZero(magnitude: Val): Val;
  /** anything but NaN or denormal */
  isOrdinary(magnitude: Val): Val;
  isFinite(magnitude: Val): Val;
  notNegative(x: Val): Val;
  /** two comparisons' results */
  or(a: Val, b: Val): Val;
  and(a: Val, b: Val): Val;
  /** i32: true in every lane */
  all(condition: Val): Val;
  /** by a comparison's result */
  choose(condition: Val, x: Val, y: Val): Val;
  readonly top: number;
}

function scalarLanes(b: Sem, { fraction, top, bits, float, integer }: (typeof PRECISION)['S' | 'D']): Lanes {
  const constant = (value: bigint): Val => b.int(bits, value);
  const asFloat = (x: Val): Val => b.op(`${float}.reinterpret_${integer}`, x);
  return {
    read: (place) => place.readLow(integer),
    write: (target, value) => target.writeLow(value),
    float: (name, ...values) => {
      const result = b.op(`${float}.${name}`, ...values.map(asFloat));
      return result.type === float ? b.op(`${integer}.reinterpret_${float}`, result) : result;
    },
    magnitude: (x) => b.and(x, constant((1n << BigInt(bits - 1)) - 1n)),
    exponentIn: (m, low, high) =>
      b.ltU(b.sub(m, constant(BigInt(low) << fraction)), constant(BigInt(high - low) << fraction)),
    isZero: (m) => b.eqz(m),
    isOrdinary: (m) => {
      const normalOrInfinite = b.leU(b.sub(m, constant(1n << fraction)), constant((top - 1n) << fraction));
      return b.or(normalOrInfinite, b.eqz(m));
    },
    isFinite: (m) => b.ltU(m, constant(top << fraction)),
    notNegative: (x) => b.eqz(b.ltS(x, constant(0n))),
    or: (x, y) => b.or(x, y),
    and: (x, y) => b.and(x, y),
    all: (condition) => condition,
    choose: (condition, x, y) => b.select(condition, x, y),
    top: Number(top),
  };
}

function packedLanes(b: Sem, { fraction, top, bits, shape, integers }: (typeof PRECISION)['S' | 'D']): Lanes {
  const constant = (value: bigint): Val => splat(b, bits === 32 ? 4 : 8, value);
  const or = (x: Val, y: Val): Val => b.op('v128.or', x, y);
  const and = (x: Val, y: Val): Val => b.op('v128.and', x, y);
  const below = (m: Val, limit: bigint): Val => b.op(`${integers}.lt_s`, m, constant(limit));
  const above = (m: Val, limit: bigint): Val => b.op(`${integers}.gt_s`, m, constant(limit));
  const isZero = (m: Val): Val => b.op(`${integers}.eq`, m, constant(0n));
  return {
    read: (place) => readAligned(b, place),
    write: (target, value) => target.write(value),
    float: (name, ...values) => b.op(`${shape}.${name}`, ...values),
    magnitude: (x) => and(x, constant((1n << BigInt(bits - 1)) - 1n)),
    exponentIn: (m, low, high) => and(above(m, (BigInt(low) << fraction) - 1n), below(m, BigInt(high) << fraction)),
    isZero,
    isOrdinary: (m) => or(and(above(m, (1n << fraction) - 1n), below(m, (top << fraction) + 1n)), isZero(m)),
    isFinite: (m) => below(m, top << fraction),
    notNegative: (x) => above(x, -1n),
    or,
    and,
    all: (condition) => b.op(`${integers}.all_true`, condition),
    choose: (condition, x, y) => b.op('v128.bitselect', x, y, condition),
    top: Number(top),
  };
}

export function lanesOf(b: Sem, suffix: Suffix): Lanes {
  const precision = PRECISION[suffix[1] as 'S' | 'D'];
  return suffix[0] === 'S' ? scalarLanes(b, precision) : packedLanes(b, precision);
}

/** Zero or a normal number. */
export const isPlain = (k: Lanes, m: Val): Val => k.or(k.exponentIn(m, 1, k.top), k.isZero(m));

/** A result that did not overflow and is far enough from denormals that it cannot have been tiny before it was rounded. */
export const isSafe = (k: Lanes, m: Val): Val => k.exponentIn(m, 2, k.top);

/** Generated result and the condition, per lane, under which it is right and at most inexact. */
type Fast = (k: Lanes, x: Val, y: Val) => readonly [result: Val, right: Val];

const sum =
  (name: 'add' | 'sub'): Fast =>
  (k, x, y) => {
    const result = k.float(name, x, y);
    const plain = k.and(isPlain(k, k.magnitude(x)), isPlain(k, k.magnitude(y)));
    // a sum of normal numbers is exact where it is denormal
    return [result, k.and(plain, k.isFinite(k.magnitude(result)))];
  };

const FAST: Readonly<Record<'ADD' | 'SUB' | 'MUL' | 'DIV' | 'SQRT', Fast>> = {
  ADD: sum('add'),
  SUB: sum('sub'),
  MUL: (k, x, y) => {
    const [a, b] = [k.magnitude(x), k.magnitude(y)];
    const result = k.float('mul', x, y);
    const zero = k.or(k.isZero(a), k.isZero(b));
    return [result, k.and(k.and(isPlain(k, a), isPlain(k, b)), k.or(isSafe(k, k.magnitude(result)), zero))];
  },
  DIV: (k, x, y) => {
    const a = k.magnitude(x);
    const result = k.float('div', x, y);
    const plain = k.and(isPlain(k, a), k.exponentIn(k.magnitude(y), 1, k.top));
    return [result, k.and(plain, k.or(isSafe(k, k.magnitude(result)), k.isZero(a)))];
  },
  SQRT: (k, _x, y) => {
    const m = k.magnitude(y);
    return [k.float('sqrt', y), k.or(k.and(k.exponentIn(m, 1, k.top), k.notNegative(y)), k.isZero(m))];
  },
};

const arithmetic = (name: keyof typeof FAST, suffix: Suffix): Operation => ({
  emit: (b, target, source) => {
    const k = lanesOf(b, suffix);
    const y = k.read(source!);
    const [result, right] = FAST[name](k, k.read(target!), y);
    deferUnless(b, b.and(k.all(right), inexactIsFree(b)));
    k.write(target!, result);
  },
  host: lanewise(suffix, ARITHMETIC[name]),
});

/** x where it is less (or greater), y where it is not. */
const extreme = (name: 'MIN' | 'MAX', suffix: Suffix): Operation => ({
  emit: (b, target, source) => {
    const k = lanesOf(b, suffix);
    const y = k.read(source!);
    const x = k.read(target!);
    deferUnless(b, k.all(k.and(k.isOrdinary(k.magnitude(x)), k.isOrdinary(k.magnitude(y)))));
    k.write(target!, k.choose(k.float(name === 'MIN' ? 'lt' : 'gt', x, y), x, y));
  },
  host: lanewise(suffix, ARITHMETIC[name]),
});

/** CMPccPS and the like; with NaNs gone to the host, "unordered" is never true. The predicate is in the immediate's low bits. */
export const comparison = (suffix: Suffix, predicateBits: 3 | 5): Operation => ({
  emit: (b, target, source, immediate) => {
    const k = lanesOf(b, suffix);
    const y = k.read(source!);
    const x = k.read(target!);
    deferUnless(b, k.all(k.and(k.isOrdinary(k.magnitude(x)), k.isOrdinary(k.magnitude(y)))));
    const predicate = b.and(b.wrap(immediate!.read()), b.i32(predicateBits === 3 ? 7 : 15));
    const scalar = suffix[0] === 'S';
    /** all ones if the predicate holds for this ordering, as the comparisons' results are */
    const holds = (ordering: Ordering): Val => {
      const bit = b.and(b.shrU(b.i32(PREDICATES_TRUE_FOR[ordering]), predicate), b.i32(1));
      return scalar ? bit : b.op('i32x4.splat', b.neg(bit));
    };
    const found = k.or(
      k.and(holds('less'), k.float('lt', x, y)),
      k.or(k.and(holds('equal'), k.float('eq', x, y)), k.and(holds('greater'), k.float('gt', x, y))),
    );
    if (!scalar) target!.write(found);
    else target!.writeLow(suffix === 'SD' ? b.extendS(b.neg(found)) : b.neg(found));
  },
  host: lanewise(suffix, compareLanes(predicateBits)),
});

/** COMISS, UCOMISS and the like; they differ in NaNs only. */
const flagComparison = (suffix: 'SS' | 'SD', signalQuiet: boolean): Operation => ({
  emit: (b, target, source) => {
    const k = lanesOf(b, suffix);
    const y = k.read(source!);
    const x = k.read(target!);
    deferUnless(b, k.and(k.isOrdinary(k.magnitude(x)), k.isOrdinary(k.magnitude(y))));
    const no = b.i32(0);
    b.flagsSet({ ZF: k.float('eq', x, y), CF: k.float('lt', x, y), PF: no, OF: no, SF: no, AF: no });
  },
  host: compareToFlags(suffix, signalQuiet),
});

const ROUNDINGS = ['nearest', 'floor', 'ceil', 'trunc'] as const;

/** ROUNDPS and the like: imm8[1:0] the mode, imm8[2] MXCSR's instead, imm8[3] never inexact. */
const rounding = (suffix: Suffix): Operation => ({
  emit: (b, target, source, immediate) => {
    const k = lanesOf(b, suffix);
    const y = k.read(source!);
    const control = b.wrap(immediate!.read());
    const mode = b.select(b.and(control, b.i32(4)), b.i32(0), b.and(control, b.i32(3)));
    const [nearest, ...others] = ROUNDINGS.map((name) => k.float(name, y));
    const result = others.reduce((chosen, value, i) => b.select(b.eq(mode, b.i32(i + 1)), value, chosen), nearest!);
    const integral = k.all(k.float('eq', result, y));
    const silent = b.eq(b.and(control, b.i32(12)), b.i32(8));
    const ordinary = k.all(k.isOrdinary(k.magnitude(y)));
    deferUnless(b, b.and(ordinary, b.or(b.or(integral, silent), inexactIsFree(b))));
    k.write(target!, result);
  },
  host: lanewise(suffix, roundLanes),
});

/** HADD, HSUB and ADDSUB: an addition of rearranged operands. */
const rearranged = (
  suffix: 'PS' | 'PD',
  name: 'ADD' | 'SUB',
  arrange: (b: Sem, x: Val, y: Val) => readonly [Val, Val],
  host: HostOperation,
): Operation => ({
  emit: (b, target, source) => {
    const k = lanesOf(b, suffix);
    const y = k.read(source!);
    const [result, right] = FAST[name](k, ...arrange(b, k.read(target!), y));
    deferUnless(b, b.and(k.all(right), inexactIsFree(b)));
    target!.write(result);
  },
  host,
});

const EVEN = {
  PS: [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27],
  PD: [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23],
} as const;
const neighbours =
  (suffix: 'PS' | 'PD') =>
  (b: Sem, x: Val, y: Val): readonly [Val, Val] => {
    const laneBytes = suffix === 'PS' ? 4 : 8;
    const odd = EVEN[suffix].map((lane) => lane + laneBytes);
    return [b.shuffle(x, y, EVEN[suffix]), b.shuffle(x, y, odd)];
  };
/** Subtraction in even lanes: the sign of the source is turned there. */
const negatedEven =
  (suffix: 'PS' | 'PD') =>
  (b: Sem, x: Val, y: Val): readonly [Val, Val] => {
    const signs = suffix === 'PS' ? lanes(b, 4, [1 << 31, 0, 1 << 31, 0]) : lanes(b, 8, [1n << 63n, 0]);
    return [x, b.op('v128.xor', y, signs)];
  };

// ---- conversions

/** CVTSI2SS and CVTSI2SD: exact up to the significand's width. */
const fromInteger = (suffix: 'SS' | 'SD'): Operation => ({
  emit: (b, target, source) => {
    const { float } = PRECISION[suffix[1] as 'S' | 'D'];
    const value = source!.read();
    const bits = value.type === 'i64' ? 64 : 32;
    const exactBits = suffix === 'SD' ? 53 : 24;
    if (exactBits < bits) {
      const reach = 1n << BigInt(exactBits);
      const exact = b.leU(b.add(value, b.int(bits, reach)), b.int(bits, 2n * reach));
      deferUnless(b, b.or(exact, inexactIsFree(b)));
    }
    target!.writeLow(b.op(`${float}.convert_${value.type}_s`, value));
  },
  host: fromGeneral(suffix),
});

/** CVT(T)SS2SI and CVT(T)SD2SI, for results within the general register. */
const toInteger = (suffix: 'SS' | 'SD', truncates: boolean): Operation => ({
  emit: (b, target, source) => {
    const { float } = PRECISION[suffix[1] as 'S' | 'D'];
    const value = source!.readLow(float);
    const whole = b.op(`${float}.${truncates ? 'trunc' : 'nearest'}`, value);
    const limit = 2 ** (target!.width - 1);
    const fits = b.op(`${float}.lt`, b.op(`${float}.abs`, whole), suffix === 'SD' ? b.f64(limit) : b.f32(limit));
    const exact = b.op(`${float}.eq`, whole, value);
    deferUnless(b, b.and(fits, b.or(exact, inexactIsFree(b))));
    const integer = target!.width === 64 ? 'i64' : 'i32';
    target!.write(b.op(`${integer}.trunc_sat_${float}_s`, whole));
  },
  host: toGeneral(suffix, truncates),
});

/** A conversion whose fast path is right where `right` (i32) holds. */
const conversion = (
  name: string,
  convert: (b: Sem, target: Place, source: Place) => readonly [Val, Val, 'all' | 'low'],
): Operation => ({
  emit: (b, target, source) => {
    const [result, right, part] = convert(b, target!, source!);
    deferUnless(b, right);
    if (part === 'all') target!.write(result);
    else target!.writeLow(result);
  },
  host: CONVERSIONS[name]!,
});

/** The low 8 bytes of the source, zeros above. */
const lowHalf = (b: Sem, source: Place): Val => b.lane('i64x2.replace_lane', 1, readZeroExtended(b, source), b.i64(0));

const packedToIntegers = (name: string, from: 'PS' | 'PD', truncates: boolean): Operation =>
  conversion(name, (b, _target, source) => {
    const k = lanesOf(b, from);
    const y = k.read(source);
    const whole = k.float(truncates ? 'trunc' : 'nearest', y);
    const limit = from === 'PS' ? b.op('f32x4.splat', b.f32(2 ** 31)) : b.op('f64x2.splat', b.f64(2 ** 31));
    const fits = k.all(k.float('lt', k.float('abs', whole), limit));
    const exact = k.all(k.float('eq', whole, y));
    const convert = from === 'PS' ? 'i32x4.trunc_sat_f32x4_s' : 'i32x4.trunc_sat_f64x2_s_zero';
    return [b.op(convert, whole), b.and(fits, b.or(exact, inexactIsFree(b))), 'all'];
  });

const conversions: OperationTable = {
  CVTSI2SS: fromInteger('SS'),
  CVTSI2SD: fromInteger('SD'),
  CVTSS2SI: toInteger('SS', false),
  CVTSD2SI: toInteger('SD', false),
  CVTTSS2SI: toInteger('SS', true),
  CVTTSD2SI: toInteger('SD', true),
  CVTSS2SD: conversion('CVTSS2SD', (b, _target, source) => {
    const k = lanesOf(b, 'SS');
    const y = k.read(source);
    return [b.op('f64.promote_f32', b.op('f32.reinterpret_i32', y)), k.isOrdinary(k.magnitude(y)), 'low'];
  }),
  CVTSD2SS: conversion('CVTSD2SS', (b, _target, source) => {
    const [wide, narrow] = [lanesOf(b, 'SD'), lanesOf(b, 'SS')];
    const y = wide.read(source);
    const m = wide.magnitude(y);
    const result = b.op('i32.reinterpret_f32', b.op('f32.demote_f64', b.op('f64.reinterpret_i64', y)));
    const safe = b.and(isPlain(wide, m), isSafe(narrow, narrow.magnitude(result)));
    return [result, b.or(wide.isZero(m), b.and(safe, inexactIsFree(b))), 'low'];
  }),
  CVTPS2PD: conversion('CVTPS2PD', (b, _target, source) => {
    const k = lanesOf(b, 'PS');
    const y = lowHalf(b, source);
    return [b.op('f64x2.promote_low_f32x4', y), k.all(k.isOrdinary(k.magnitude(y))), 'all'];
  }),
  CVTPD2PS: conversion('CVTPD2PS', (b, _target, source) => {
    const [wide, narrow] = [lanesOf(b, 'PD'), lanesOf(b, 'PS')];
    const y = wide.read(source);
    const result = b.op('f32x4.demote_f64x2_zero', y);
    const m = narrow.magnitude(result);
    const upperHalf = lanes(b, 8, [0, -1]);
    const safe = narrow.all(narrow.or(isSafe(narrow, m), upperHalf));
    return [result, b.and(b.and(safe, wide.all(isPlain(wide, wide.magnitude(y)))), inexactIsFree(b)), 'all'];
  }),
  CVTDQ2PS: conversion('CVTDQ2PS', (b, _target, source) => {
    const y = readAligned(b, source);
    const reach = 1 << 24;
    const small = b.op('i32x4.le_u', b.op('i32x4.add', y, splat(b, 4, reach)), splat(b, 4, 2 * reach));
    return [b.op('f32x4.convert_i32x4_s', y), b.or(b.op('i32x4.all_true', small), inexactIsFree(b)), 'all'];
  }),
  CVTDQ2PD: {
    emit: (b, target, source) => target!.write(b.op('f64x2.convert_low_i32x4_s', readZeroExtended(b, source!))),
  },
  CVTPS2DQ: packedToIntegers('CVTPS2DQ', 'PS', false),
  CVTTPS2DQ: packedToIntegers('CVTTPS2DQ', 'PS', true),
  CVTPD2DQ: packedToIntegers('CVTPD2DQ', 'PD', false),
  CVTTPD2DQ: packedToIntegers('CVTTPD2DQ', 'PD', true),
  CVTPI2PS: { host: fromMmx(SINGLE) },
  CVTPI2PD: { host: fromMmx(DOUBLE) },
  CVTPS2PI: { host: toMmx(SINGLE, false) },
  CVTPD2PI: { host: toMmx(DOUBLE, false) },
  CVTTPS2PI: { host: toMmx(SINGLE, true) },
  CVTTPD2PI: { host: toMmx(DOUBLE, true) },
};

export const SUFFIXES: readonly Suffix[] = ['PS', 'PD', 'SS', 'SD'];
const family = (name: string, make: (suffix: Suffix) => Operation): OperationTable =>
  Object.fromEntries(SUFFIXES.map((suffix) => [name + suffix, make(suffix)]));
const pair = (name: string, make: (suffix: 'SS' | 'SD') => Operation): OperationTable => ({
  [`${name}SS`]: make('SS'),
  [`${name}SD`]: make('SD'),
});

export const sseFloatOperations: OperationTable = {
  ...family('ADD', (suffix) => arithmetic('ADD', suffix)),
  ...family('SUB', (suffix) => arithmetic('SUB', suffix)),
  ...family('MUL', (suffix) => arithmetic('MUL', suffix)),
  ...family('DIV', (suffix) => arithmetic('DIV', suffix)),
  ...family('SQRT', (suffix) => arithmetic('SQRT', suffix)),
  ...family('MIN', (suffix) => extreme('MIN', suffix)),
  ...family('MAX', (suffix) => extreme('MAX', suffix)),
  ...family('CMP', (suffix) => comparison(suffix, 3)),
  ...family('ROUND', rounding),
  ...pair('COMI', (suffix) => flagComparison(suffix, true)),
  ...pair('UCOMI', (suffix) => flagComparison(suffix, false)),
  HADDPS: rearranged('PS', 'ADD', neighbours('PS'), horizontal('PS', 'ADD')),
  HADDPD: rearranged('PD', 'ADD', neighbours('PD'), horizontal('PD', 'ADD')),
  HSUBPS: rearranged('PS', 'SUB', neighbours('PS'), horizontal('PS', 'SUB')),
  HSUBPD: rearranged('PD', 'SUB', neighbours('PD'), horizontal('PD', 'SUB')),
  ADDSUBPS: rearranged('PS', 'ADD', negatedEven('PS'), lanewise('PS', addSubtractLanes)),
  ADDSUBPD: rearranged('PD', 'ADD', negatedEven('PD'), lanewise('PD', addSubtractLanes)),
  DPPS: { host: dotProduct('PS') },
  DPPD: { host: dotProduct('PD') },
  RCPPS: { host: lanewise('PS', reciprocalLanes) },
  RCPSS: { host: lanewise('SS', reciprocalLanes) },
  RSQRTPS: { host: lanewise('PS', reciprocalRootLanes) },
  RSQRTSS: { host: lanewise('SS', reciprocalRootLanes) },
  ...conversions,
};
