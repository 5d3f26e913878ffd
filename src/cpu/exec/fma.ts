/** FMA3: a x b + c with one rounding, in each choice of which operands are multiplied (SDM Vol. 2, VFMADD132PD and the others). Host operations. */
import { type FloatEnvironment, multiplyAdd } from '../fpu/arithmetic.ts';
import { type FloatValue, negated, pack, unpack } from '../fpu/format.ts';
import type { HostOperation } from '../processor.ts';
import type { OperationTable } from './sem.ts';
import { SUFFIXES } from './sse-float.ts';
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
  const { format, lanes } = SHAPES[suffix];
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
          lane < lanes ? compute(env, sources, lane) : laneOf(sources[0]!, lane, bits),
        ),
        bits,
      );
    });
    settle(cpu, env);
    setVectorBits(cpu, instruction, target, results);
  };
};

export const fmaOperations: OperationTable = Object.fromEntries(
  Object.entries(KINDS).flatMap(([kind, signs]) =>
    Object.entries(ORDERS).flatMap(([digits, order]) =>
      // the alternating kinds have no scalar form
      SUFFIXES.filter((suffix) => signs.evenAddend === signs.oddAddend || suffix[0] === 'P').map((suffix) => [
        `${kind}${digits}${suffix}`,
        { host: fused(signs, order, suffix) },
      ]),
    ),
  ),
);
