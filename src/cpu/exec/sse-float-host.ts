/**
 * SSE floating point in full: every rounding mode, exception, NaN and denormal, lane by lane with the softfloat. Generated code
 * (`sse-float.ts`) does the common cases and leaves the rest to these.
 */

import type { Instruction, Operand } from '../../isa/index.ts';
import { OperandKind } from '../../isa/index.ts';
import { addressOf } from '../effective-address.ts';
import {
  add,
  compare,
  convert,
  divide,
  FloatEnvironment,
  operand as flushed,
  fromInteger,
  multiply,
  type Ordering,
  squareRoot,
  subtract,
  toInteger,
  toIntegral,
} from '../fpu/arithmetic.ts';
import {
  DOUBLE,
  type FloatValue,
  type Format,
  INDEFINITE,
  pack,
  quieted,
  SINGLE,
  unpack,
  zero,
} from '../fpu/format.ts';
import { Exception } from '../fpu/x87-state.ts';
import { GuestFault, type HostOperation, type Processor } from '../processor.ts';
import { S } from '../state.ts';
import { enterMmx, markMmxUsed, Quad, readQuad, writeMmx } from './mmx.ts';

const INVALID_OPCODE = 6;
const GENERAL_PROTECTION = 13;
const SIMD_FLOATING_POINT = 19;
const CR4_OSXMMEXCPT = 0x400;

const MASK_SHIFT = 7;
const ROUNDING_SHIFT = 13;
const FLUSH_TO_ZERO = 0x8000;
const DENORMALS_ARE_ZERO = 0x40;
/** Found before there is a result; unmasked in any lane, they keep results from being computed at all. */
const BEFORE_RESULT = Exception.Invalid | Exception.Denormal | Exception.ZeroDivide;

const TRUNCATE = 3;

/** Works on a 128-bit value as one integer. */
export const laneOf = (value: bigint, lane: number, bits: number): bigint =>
  BigInt.asUintN(bits, value >> BigInt(lane * bits));

export function joinLanes(lanes: readonly bigint[], bits: number): bigint {
  return lanes.reduceRight((whole, lane) => (whole << BigInt(bits)) | BigInt.asUintN(bits, lane), 0n);
}

export function environment(cpu: Processor): FloatEnvironment {
  const mxcsr = cpu.state.low(S.mxcsr);
  const env = new FloatEnvironment();
  env.rounding = (mxcsr >> ROUNDING_SHIFT) & 3;
  env.masks = (mxcsr >> MASK_SHIFT) & 0x3f;
  env.flushToZero = (mxcsr & FLUSH_TO_ZERO) !== 0;
  env.denormalsAreZero = (mxcsr & DENORMALS_ARE_ZERO) !== 0;
  return env;
}

/** Adds the exceptions to MXCSR; an unmasked one is #XM (or #UD where the system has not asked for #XM). */
export function settle(cpu: Processor, env: FloatEnvironment): void {
  const before = env.unmasked & BEFORE_RESULT;
  const { state } = cpu;
  state.setLow(S.mxcsr, state.low(S.mxcsr) | (before ? env.flags & BEFORE_RESULT : env.flags));
  if (env.unmasked) throw new GuestFault(state.low(S.cr4) & CR4_OSXMMEXCPT ? SIMD_FLOATING_POINT : INVALID_OPCODE);
}

/** Which operands a two-source instruction computes from, and how many halves of 128 bits: VEX forms name the first source, SSE forms overwrite it. */
interface Roles {
  readonly target: Operand;
  readonly first: Operand;
  readonly source: Operand;
  readonly halves: number;
}

function rolesOf({ form, operands, operandCount }: Instruction): Roles {
  const [target, second, third] = operands;
  const three = form.vex && operandCount > 2 && third.kind !== OperandKind.Immediate;
  const source = three ? third : second;
  const halves = target.size === 256 || source.size === 256 ? 2 : 1;
  return { target, first: three ? second : target, source, halves };
}

export function vectorBits(cpu: Processor, register: number, half = 0): bigint {
  const row = S.vector + 32 * register + 16 * half;
  return cpu.state.big(row) | (cpu.state.big(row + 8) << 64n);
}

/** Writes the target's halves. Above them a VEX form leaves zero, an SSE form what was there. */
export function setVectorBits(cpu: Processor, { form }: Instruction, target: Operand, halves: readonly bigint[]): void {
  const count = form.vex ? 2 : 1;
  for (let half = 0; half < count; half++) {
    const row = S.vector + 32 * target.register + 16 * half;
    const bits = halves[half] ?? 0n;
    cpu.state.setBig(row, BigInt.asUintN(64, bits));
    cpu.state.setBig(row + 8, BigInt.asUintN(64, bits >> 64n));
  }
}

const pairOf = (bytes: DataView, at: number): bigint =>
  bytes.getBigUint64(at, true) | (bytes.getBigUint64(at + 8, true) << 64n);

/** A source of any kind as integers of up to 128 bits, zero-extended, for each half. 16-byte memory operands of SSE forms must be aligned. */
export function sourceHalves(cpu: Processor, instruction: Instruction, source: Operand): readonly bigint[] {
  if (source.kind === OperandKind.Xmm) return [vectorBits(cpu, source.register)];
  if (source.kind === OperandKind.Ymm) return [vectorBits(cpu, source.register), vectorBits(cpu, source.register, 1)];
  if (source.kind !== OperandKind.Memory || source.size < 128) {
    const quad = readQuad(cpu, instruction, source);
    return [source.size === 32 ? quad.u64[0]! & 0xffff_ffffn : quad.u64[0]!];
  }
  addressOf(cpu, instruction);
  if (!instruction.form.vex && cpu.addressLow & 15) throw new GuestFault(GENERAL_PROTECTION, 0);
  const bytes = new Uint8Array(source.size / 8);
  cpu.loadBytes(cpu.addressLow, cpu.addressHigh, bytes);
  const view = new DataView(bytes.buffer);
  return source.size === 256 ? [pairOf(view, 0), pairOf(view, 16)] : [pairOf(view, 0)];
}

const sourceBits = (cpu: Processor, instruction: Instruction, source: Operand): bigint =>
  sourceHalves(cpu, instruction, source)[0]!;

/** Which lanes of which format an instruction works on. */
interface Shape {
  readonly format: Format;
  readonly lanes: number;
}
export const SHAPES: Readonly<Record<'PS' | 'PD' | 'SS' | 'SD', Shape>> = {
  PS: { format: SINGLE, lanes: 4 },
  PD: { format: DOUBLE, lanes: 2 },
  SS: { format: SINGLE, lanes: 1 },
  SD: { format: DOUBLE, lanes: 1 },
};
export type Suffix = keyof typeof SHAPES;

/** A result of one lane from the target's and the source's lanes, all as bits. */
type LaneFunction = (
  env: FloatEnvironment,
  x: bigint,
  y: bigint,
  format: Format,
  immediate: number,
  lane: number,
) => bigint;

const immediateOf = (instruction: Instruction): number => instruction.immediateLow & 0xff;

/** Computes half a target from halves of the operands. */
type WholeFunction = (env: FloatEnvironment, x: bigint, y: bigint, immediate: number) => bigint;

/** How the halves of a 256-bit instruction's operands belong together: each to its own, 64 bits to 128, 128 bits to 64. */
type Pairing = 'half to half' | 'widens' | 'narrows';

const LOW_64 = (1n << 64n) - 1n;

export const whole =
  (compute: WholeFunction, pairing: Pairing = 'half to half'): HostOperation =>
  (cpu, instruction) => {
    const { target, first, source, halves } = rolesOf(instruction);
    const env = environment(cpu);
    const ys = sourceHalves(cpu, instruction, source);
    const immediate = immediateOf(instruction);
    const results = Array.from({ length: halves }, (_, half) => {
      const y = pairing === 'widens' ? ys[0]! >> BigInt(64 * half) : ys[half]!;
      return compute(env, vectorBits(cpu, first.register, half), y, immediate);
    });
    settle(cpu, env);
    const joined =
      pairing === 'narrows' ? [results.reduceRight((all, each) => (all << 64n) | (each & LOW_64), 0n)] : results;
    setVectorBits(cpu, instruction, target, joined);
  };

/** Lane by lane; lanes above those of the shape are the first source's. */
export const lanewise = (suffix: Suffix, compute: LaneFunction): HostOperation => {
  const { format, lanes } = SHAPES[suffix];
  const { bits } = format;
  return whole((env, x, y, immediate) =>
    joinLanes(
      Array.from({ length: 128 / bits }, (_, lane) =>
        lane < lanes
          ? compute(env, laneOf(x, lane, bits), laneOf(y, lane, bits), format, immediate, lane)
          : laneOf(x, lane, bits),
      ),
      bits,
    ),
  );
};

type Arithmetic = (env: FloatEnvironment, a: FloatValue, b: FloatValue, format: Format) => FloatValue;

const onValues =
  (operation: Arithmetic): LaneFunction =>
  (env, x, y, format) =>
    pack(operation(env, unpack(x, format), unpack(y, format), format), format);

/** MIN and MAX give the second operand, whatever it is, if either is a NaN or both are zeros. */
const extreme =
  (wanted: Ordering): LaneFunction =>
  (env, x, y, format) => {
    const a = unpack(x, format);
    const b = unpack(y, format);
    const result = compare(env, a, b, true) === wanted ? a : b;
    // a signalling NaN stays one: packing does not change it
    return pack(flushed(env, result), format);
  };

export const ARITHMETIC: Readonly<Record<'ADD' | 'SUB' | 'MUL' | 'DIV' | 'MIN' | 'MAX' | 'SQRT', LaneFunction>> = {
  ADD: onValues(add),
  SUB: onValues(subtract),
  MUL: onValues(multiply),
  DIV: onValues(divide),
  MIN: extreme('less'),
  MAX: extreme('greater'),
  SQRT: (env, _x, y, format) => pack(squareRoot(env, unpack(y, format), format), format),
};

/** For each ordering the predicates (CMPccPS's immediate, modulo 16) that it fulfils, as bits. */
export const PREDICATES_TRUE_FOR: Readonly<Record<Ordering, number>> = {
  less: 0b1001_0110_1001_0110,
  equal: 0b1010_0101_1010_0101,
  greater: 0b1111_0000_1111_0000,
  unordered: 0b1000_0111_0111_1000,
};
/** Predicates below 16 that signal on quiet NaNs; above, it is the others. */
const SIGNALLING_PREDICATES = 0b0110_0110_0110_0110;

export const compareLanes =
  (predicateBits: 3 | 5): LaneFunction =>
  (env, x, y, format, immediate) => {
    const predicate = immediate & ((1 << predicateBits) - 1);
    const is = (predicates: number): boolean => ((predicates >> (predicate & 15)) & 1) !== 0;
    const signals = is(SIGNALLING_PREDICATES) !== predicate >= 16;
    const ordering = compare(env, unpack(x, format), unpack(y, format), signals);
    return is(PREDICATES_TRUE_FOR[ordering]) ? -1n : 0n;
  };

const USE_MXCSR_ROUNDING = 4;
const NOT_INEXACT = 8;

export const roundLanes: LaneFunction = (env, _x, y, format, immediate) => {
  const rounding = immediate & USE_MXCSR_ROUNDING ? env.rounding : immediate & 3;
  return pack(toIntegral(env, unpack(y, format), rounding, (immediate & NOT_INEXACT) !== 0), format);
};

const ALTERNATING: Arithmetic[] = [subtract, add];
export const addSubtractLanes: LaneFunction = (env, x, y, format, _immediate, lane) =>
  onValues(ALTERNATING[lane & 1]!)(env, x, y, format, 0, lane);

/** Neighbouring lanes of x, then of y, combined. */
export const horizontal = (suffix: 'PS' | 'PD', operation: 'ADD' | 'SUB'): HostOperation =>
  whole((env, x, y) => {
    const { format, lanes } = SHAPES[suffix];
    const all = [x, y].flatMap((value) => Array.from({ length: lanes }, (_, i) => laneOf(value, i, format.bits)));
    const results = Array.from({ length: lanes }, (_, i) =>
      ARITHMETIC[operation](env, all[2 * i]!, all[2 * i + 1]!, format, 0, i),
    );
    return joinLanes(results, format.bits);
  });

/** DPPS and DPPD: products chosen by imm8[7:4], summed in pairs, the sum stored to the lanes chosen by imm8[3:0]. */
export const dotProduct = (suffix: 'PS' | 'PD'): HostOperation =>
  whole((env, x, y, immediate) => {
    const { format, lanes } = SHAPES[suffix];
    const { bits } = format;
    // a denormal product is a denormal operand of the sum
    const stored = (value: FloatValue): FloatValue => unpack(pack(value, format), format);
    const product = (i: number): FloatValue =>
      immediate & (16 << i)
        ? stored(multiply(env, unpack(laneOf(x, i, bits), format), unpack(laneOf(y, i, bits), format), format))
        : zero(0);
    let sums = Array.from({ length: lanes }, (_, i) => product(i));
    // what the multiplication found unmasked keeps the additions from happening
    while (sums.length > 1 && env.unmasked === 0)
      sums = Array.from({ length: sums.length / 2 }, (_, i) =>
        stored(add(env, sums[2 * i]!, sums[2 * i + 1]!, format)),
      );
    const sum = pack(sums[0]!, format);
    return joinLanes(
      Array.from({ length: lanes }, (_, i) => (immediate & (1 << i) ? sum : 0n)),
      bits,
    );
  });

// ---- comparison to flags

const ARITHMETIC_FLAGS = 0x8d5;
/** ZF 6, PF 2, CF 0 */
const FLAG_BITS: Readonly<Record<Ordering, number>> = { greater: 0, less: 1, equal: 0x40, unordered: 0x45 };

export const compareToFlags =
  (suffix: 'SS' | 'SD', signalQuiet: boolean): HostOperation =>
  (cpu, instruction) => {
    const { format } = SHAPES[suffix];
    const [target, source] = instruction.operands;
    const env = environment(cpu);
    const y = unpack(laneOf(sourceBits(cpu, instruction, source), 0, format.bits), format);
    const x = unpack(laneOf(vectorBits(cpu, target.register), 0, format.bits), format);
    const ordering = compare(env, x, y, signalQuiet);
    settle(cpu, env);
    cpu.writeRflags((cpu.readRflags() & ~ARITHMETIC_FLAGS) | FLAG_BITS[ordering]);
  };

// ---- conversions

const integerBits = (
  env: FloatEnvironment,
  bits: bigint,
  format: Format,
  width: 32 | 64,
  truncates: boolean,
): bigint => {
  const value = toInteger(env, unpack(bits, format), width, truncates ? TRUNCATE : env.rounding);
  return BigInt.asUintN(width, value ?? 1n << BigInt(width - 1));
};

/** CVTSI2SS and CVTSI2SD */
export const fromGeneral =
  (suffix: 'SS' | 'SD'): HostOperation =>
  (cpu, instruction) => {
    const { format } = SHAPES[suffix];
    const { target, first, source } = rolesOf(instruction);
    const env = environment(cpu);
    const integer = BigInt.asIntN(source.size, sourceBits(cpu, instruction, source));
    const result = pack(fromInteger(env, integer, format), format);
    settle(cpu, env);
    const x = vectorBits(cpu, first.register);
    setVectorBits(cpu, instruction, target, [((x >> BigInt(format.bits)) << BigInt(format.bits)) | result]);
  };

/** CVT(T)SS2SI and CVT(T)SD2SI */
export const toGeneral =
  (suffix: 'SS' | 'SD', truncates: boolean): HostOperation =>
  (cpu, instruction) => {
    const { format } = SHAPES[suffix];
    const [target, source] = instruction.operands;
    const env = environment(cpu);
    const y = laneOf(sourceBits(cpu, instruction, source), 0, format.bits);
    const result = integerBits(env, y, format, target.size as 32 | 64, truncates);
    settle(cpu, env);
    cpu.state.setBig(S.gpr + 8 * target.register, result);
  };

const between =
  (from: Format, to: Format) =>
  (env: FloatEnvironment, bits: bigint): bigint =>
    pack(convert(env, unpack(bits, from), to), to);
const widen = between(SINGLE, DOUBLE);
const narrow = between(DOUBLE, SINGLE);
const integerTo = (env: FloatEnvironment, bits: bigint, format: Format): bigint =>
  pack(fromInteger(env, BigInt.asIntN(32, bits), format), format);

const upper = (x: bigint, from: number): bigint => (x >> BigInt(from)) << BigInt(from);
export const each = (
  count: number,
  bits: number,
  value: bigint,
  change: (lane: bigint) => bigint,
  resultBits: number,
): bigint =>
  joinLanes(
    Array.from({ length: count }, (_, i) => change(laneOf(value, i, bits))),
    resultBits,
  );

export const CONVERSIONS: Readonly<Record<string, HostOperation>> = {
  CVTSS2SD: whole((env, x, y) => upper(x, 64) | widen(env, laneOf(y, 0, 32))),
  CVTSD2SS: whole((env, x, y) => upper(x, 32) | narrow(env, laneOf(y, 0, 64))),
  CVTPS2PD: whole((env, _x, y) => each(2, 32, y, (lane) => widen(env, lane), 64), 'widens'),
  CVTPD2PS: whole((env, _x, y) => each(2, 64, y, (lane) => narrow(env, lane), 32), 'narrows'),
  CVTDQ2PD: whole((env, _x, y) => each(2, 32, y, (lane) => integerTo(env, lane, DOUBLE), 64), 'widens'),
  CVTDQ2PS: whole((env, _x, y) => each(4, 32, y, (lane) => integerTo(env, lane, SINGLE), 32)),
  CVTPS2DQ: whole((env, _x, y) => each(4, 32, y, (lane) => integerBits(env, lane, SINGLE, 32, false), 32)),
  CVTTPS2DQ: whole((env, _x, y) => each(4, 32, y, (lane) => integerBits(env, lane, SINGLE, 32, true), 32)),
  CVTPD2DQ: whole((env, _x, y) => each(2, 64, y, (lane) => integerBits(env, lane, DOUBLE, 32, false), 32), 'narrows'),
  CVTTPD2DQ: whole((env, _x, y) => each(2, 64, y, (lane) => integerBits(env, lane, DOUBLE, 32, true), 32), 'narrows'),
};

/** CVTPI2PS and CVTPI2PD; only a register source counts as use of MMX. */
export const fromMmx =
  (format: Format): HostOperation =>
  (cpu, instruction) => {
    const [target, source] = instruction.operands;
    const usesMmx = source.kind === OperandKind.Mmx;
    if (usesMmx) enterMmx(cpu);
    const env = environment(cpu);
    const y = sourceBits(cpu, instruction, source);
    const result = each(2, 32, y, (lane) => integerTo(env, lane, format), format.bits);
    if (usesMmx) markMmxUsed(cpu);
    settle(cpu, env);
    setVectorBits(cpu, instruction, target, [upper(vectorBits(cpu, target.register), 2 * format.bits) | result]);
  };

/** CVT(T)PS2PI and CVT(T)PD2PI */
export const toMmx =
  (format: Format, truncates: boolean): HostOperation =>
  (cpu, instruction) => {
    const [target, source] = instruction.operands;
    enterMmx(cpu);
    const env = environment(cpu);
    const y = sourceBits(cpu, instruction, source);
    const quad = new Quad();
    quad.u64[0] = each(2, format.bits, y, (lane) => integerBits(env, lane, format, 32, truncates), 32);
    markMmxUsed(cpu);
    settle(cpu, env);
    writeMmx(cpu, target.register, quad);
  };

// ---- approximations: 12 bits of the reciprocal, without exceptions

const APPROXIMATE_BITS = 12;
const LEAST_NORMAL = 2 ** -126;
const numbers = new DataView(new ArrayBuffer(4));

function approximation(y: bigint, estimate: (value: number) => number): bigint {
  const value = unpack(y, SINGLE);
  if (value.kind === 'nan') return pack(quieted(value), SINGLE);
  numbers.setUint32(0, Number(y));
  const operandValue = value.denormal ? (value.sign ? -0 : 0) : numbers.getFloat32(0);
  const exact = estimate(operandValue);
  if (Number.isNaN(exact)) return pack(INDEFINITE, SINGLE);
  numbers.setFloat32(0, exact);
  const bits = numbers.getUint32(0);
  const exponent = (bits >>> 23) & 0xff;
  if (Math.abs(exact) < LEAST_NORMAL) return BigInt((bits & 0x8000_0000) >>> 0);
  if (exponent === 0xff) return BigInt(bits);
  const half = 1 << (23 - APPROXIMATE_BITS - 1);
  return BigInt(((bits + half) & -(half << 1)) >>> 0);
}

export const reciprocalLanes: LaneFunction = (_env, _x, y) => approximation(y, (value) => 1 / value);
export const reciprocalRootLanes: LaneFunction = (_env, _x, y) =>
  approximation(y, (value) => (value === 0 ? 1 / value : 1 / Math.sqrt(value)));
