/**
 * FMA3: a x b + c with one rounding, in each choice of which operands are multiplied (SDM Vol. 2, VFMADD132PD and the others).
 * WebAssembly has no such operation: generated code adds up rounding errors, which are numbers themselves, where nothing can
 * overflow, underflow or raise anything; all else is the host's.
 */
import { type FloatEnvironment, multiplyAdd } from '../fpu/arithmetic.ts';
import { type FloatValue, negated, pack, unpack } from '../fpu/format.ts';
import type { HostOperation } from '../processor.ts';
import type { Operation, OperationTable, Place, Sem, Val } from './sem.ts';
import { deferUnless, inexactIsFree, isPlain, isSafe, type Lanes, lanesOf, SUFFIXES } from './sse-float.ts';
import {
  environment,
  joinLanes,
  laneOf,
  SHAPES,
  type Suffix,
  settle,
  setVectorBits,
  sourceHalves,
  vectorBits,
} from './sse-float-host.ts';
import { halvesOf, lanes, splat, zeroVector } from './vector-operand.ts';
import { writeHalves } from './vex.ts';

/** Operands of a, b and c: 0 the target, 1 the second operand, 2 the third. */
const ORDERS = { 132: [0, 2, 1], 213: [1, 0, 2], 231: [1, 2, 0] } as const;

/** What becomes negative in an even and in an odd lane. */
interface Signs {
  readonly product: boolean;
  readonly evenAddend: boolean;
  readonly oddAddend: boolean;
}
const KINDS: Readonly<Record<string, Signs>> = {
  VFMADD: { product: false, evenAddend: false, oddAddend: false },
  VFMSUB: { product: false, evenAddend: true, oddAddend: true },
  VFNMADD: { product: true, evenAddend: false, oddAddend: false },
  VFNMSUB: { product: true, evenAddend: true, oddAddend: true },
  VFMADDSUB: { product: false, evenAddend: true, oddAddend: false },
  VFMSUBADD: { product: false, evenAddend: false, oddAddend: true },
};

/** A NaN keeps its sign. */
const signed = (value: FloatValue, negative: boolean): FloatValue =>
  negative && value.kind !== 'nan' ? negated(value) : value;

const fused = (signs: Signs, order: readonly [number, number, number], suffix: Suffix): HostOperation => {
  const { format, lanes: laneCount } = SHAPES[suffix];
  const { bits } = format;
  const compute = (env: FloatEnvironment, sources: readonly bigint[], lane: number): bigint => {
    const [a, b, c] = order.map((index) => unpack(laneOf(sources[index]!, lane, bits), format));
    const addend = signed(c!, lane & 1 ? signs.oddAddend : signs.evenAddend);
    return pack(multiplyAdd(env, signed(a!, signs.product), b!, addend, format), format);
  };
  return (cpu, instruction) => {
    const [target, second, third] = instruction.operands;
    const env = environment(cpu);
    const thirds = sourceHalves(cpu, instruction, third);
    const results = Array.from({ length: target.size / 128 }, (_, half) => {
      const sources = [vectorBits(cpu, target.register, half), vectorBits(cpu, second.register, half), thirds[half]!];
      return joinLanes(
        Array.from({ length: 128 / bits }, (_, lane) =>
          lane < laneCount ? compute(env, sources, lane) : laneOf(sources[0]!, lane, bits),
        ),
        bits,
      );
    });
    settle(cpu, env);
    setVectorBits(cpu, instruction, target, results);
  };
};

// ---- generated

const op = (b: Sem, name: string, x: Val, y: Val): Val => b.op(`f64x2.${name}`, x, y);

/** x + y rounded, and what the rounding lost (Knuth's TwoSum). */
function twoSum(b: Sem, x: Val, y: Val): readonly [sum: Val, lost: Val] {
  const sum = op(b, 'add', x, y);
  const second = op(b, 'sub', sum, x);
  const first = op(b, 'sub', sum, second);
  return [sum, op(b, 'add', op(b, 'sub', x, first), op(b, 'sub', y, second))];
}

/** The upper 26 bits of the significand, and the rest (Veltkamp). */
function split(b: Sem, x: Val): readonly [Val, Val] {
  const scaled = op(b, 'mul', x, b.op('f64x2.splat', b.f64(2 ** 27 + 1)));
  const upper = op(b, 'sub', scaled, op(b, 'sub', scaled, x));
  return [upper, op(b, 'sub', x, upper)];
}

/** x * y rounded, and what the rounding lost (Dekker). */
function twoProduct(b: Sem, x: Val, y: Val): readonly [product: Val, lost: Val] {
  const product = op(b, 'mul', x, y);
  const [xUpper, xLower] = split(b, x);
  const [yUpper, yLower] = split(b, y);
  const first = op(b, 'sub', op(b, 'mul', xUpper, yUpper), product);
  const second = op(b, 'add', op(b, 'add', first, op(b, 'mul', xUpper, yLower)), op(b, 'mul', xLower, yUpper));
  return [product, op(b, 'add', second, op(b, 'mul', xLower, yLower))];
}

/** x + y, where it is inexact rounded to the neighbour whose last bit is 1: rounding that again to fewer bits is right. */
function sumToOdd(b: Sem, x: Val, y: Val): Val {
  const [sum, lost] = twoSum(b, x, y);
  const one = splat(b, 8, 1);
  const exact = b.op('f64x2.eq', lost, splat(b, 8, 0));
  const odd = b.op('i64x2.neg', b.op('v128.and', sum, one));
  // towards what was lost: 1 away from zero, -1 towards it
  const step = b.op('v128.or', b.op('i64x2.shr_s', b.op('v128.xor', sum, lost), b.i32(63)), one);
  return b.op('i64x2.add', sum, b.op('v128.andnot', step, b.op('v128.or', exact, odd)));
}

/** Doubles: Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to odd". */
function fusedDoubles(b: Sem, x: Val, y: Val, z: Val): Val {
  const [product, productLost] = twoProduct(b, x, y);
  const [low, lowLost] = twoSum(b, z, productLost);
  const [high, highLost] = twoSum(b, product, low);
  return op(b, 'add', high, sumToOdd(b, lowLost, highLost));
}

const UPPER_TO_LOWER = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
const LOWER_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];

/** Singles: as doubles, where their product is exact. */
function fusedSingles(b: Sem, ...sources: readonly [Val, Val, Val]): Val {
  const pair = (values: readonly Val[]): Val => {
    const [x, y, z] = values.map((value) => b.op('f64x2.promote_low_f32x4', value));
    return b.op('f32x4.demote_f64x2_zero', sumToOdd(b, op(b, 'mul', x!, y!), z!));
  };
  const upper = pair(sources.map((value) => b.shuffle(value, value, UPPER_TO_LOWER)));
  return b.shuffle(pair(sources), upper, LOWER_HALVES);
}

/** Exponent fields with which no step of `fusedDoubles` overflows or underflows: of factors, and of the addend. */
const FACTOR_EXPONENTS = [623, 1423] as const;
const ADDEND_EXPONENTS = [123, 1923] as const;

/** Per lane: is the fast result right? Sums of opposite numbers are left to the host, and so are doubles' products of zero. */
function isRight(k: Lanes, isDouble: boolean, sources: readonly Val[], result: Val): Val {
  const [x, y, z] = sources.map((value) => k.magnitude(value)) as [Val, Val, Val];
  if (isDouble) {
    const addend = k.or(k.exponentIn(z, ...ADDEND_EXPONENTS), k.isZero(z));
    const factors = k.and(k.exponentIn(x, ...FACTOR_EXPONENTS), k.exponentIn(y, ...FACTOR_EXPONENTS));
    return k.and(k.and(factors, addend), isSafe(k, k.magnitude(result)));
  }
  const plain = k.and(k.and(isPlain(k, x), isPlain(k, y)), isPlain(k, z));
  const zero = k.and(k.or(k.isZero(x), k.isZero(y)), k.isZero(z));
  return k.and(plain, k.or(isSafe(k, k.magnitude(result)), zero));
}

const fusedFast =
  (signs: Signs, order: readonly [number, number, number], suffix: Suffix): NonNullable<Operation['emit']> =>
  (b, target, second, third) => {
    const isDouble = suffix[1] === 'D';
    const isScalar = suffix[0] === 'S';
    const halves = (place: Place): readonly Val[] =>
      isScalar
        ? [b.op(isDouble ? 'f64x2.splat' : 'f32x4.splat', place.readLow(isDouble ? 'f64' : 'f32'))]
        : halvesOf(b, place);
    const thirds = halves(third!);
    const places = [halves(target!), halves(second!), thirds];
    const k = lanesOf(b, isDouble ? 'PD' : 'PS');
    const signBit = (negative: boolean): bigint => (negative ? 1n << (isDouble ? 63n : 31n) : 0n);
    const flipped = (value: Val, even: boolean, odd: boolean): Val => {
      if (!even && !odd) return value;
      const pattern = isDouble ? [signBit(even), signBit(odd)] : [0, 1].flatMap(() => [signBit(even), signBit(odd)]);
      return b.op('v128.xor', value, lanes(b, isDouble ? 8 : 4, pattern));
    };
    let right = inexactIsFree(b);
    const results = thirds.map((_, half) => {
      const [x, y, z] = order.map((index) => places[index]![half]!) as [Val, Val, Val];
      const sources = [
        flipped(x, signs.product, signs.product),
        y,
        flipped(z, signs.evenAddend, signs.oddAddend),
      ] as const;
      const result = (isDouble ? fusedDoubles : fusedSingles)(b, ...sources);
      right = b.and(right, k.all(isRight(k, isDouble, sources, result)));
      return result;
    });
    deferUnless(b, right);
    if (!isScalar) writeHalves(b, target!, results);
    else {
      target!.writeLow(b.lane(`${isDouble ? 'f64x2' : 'f32x4'}.extract_lane`, 0, results[0]!));
      target!.writeUpper(zeroVector(b));
    }
  };

export const fmaOperations: OperationTable = Object.fromEntries(
  Object.entries(KINDS).flatMap(([kind, signs]) =>
    Object.entries(ORDERS).flatMap(([digits, order]) =>
      // the alternating kinds have no scalar form
      SUFFIXES.filter((suffix) => signs.evenAddend === signs.oddAddend || suffix[0] === 'P').map((suffix) => [
        `${kind}${digits}${suffix}`,
        { emit: fusedFast(signs, order, suffix), host: fused(signs, order, suffix) },
      ]),
    ),
  ),
);
