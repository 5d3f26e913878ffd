/** BMI1, BMI2, ADX and LZCNT operations against bigint arithmetic, without a decoder, whatever features it has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createInstruction, type Instruction, OperandKind, VectorState } from '../../isa/index.ts';
import { flatBench } from '../engine/flat-bench.ts';
import { Handler } from '../engine/handlers.ts';
import { RECORD_BYTES } from '../engine/record.ts';
import { S } from '../state.ts';

const CF = 1;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;

const DESTINATION = 8;
const FIRST = 9;
const SECOND = 10;
const RDX = 2;

type Width = 32 | 64;
interface Outcome {
  readonly result: bigint;
  /** second destination, MULX's low half */
  readonly low?: bigint;
  /** of `flags`, those that are defined */
  readonly flags?: number;
  readonly defined?: number;
}

const bench = flatBench();
const record = bench.engine.memory.reserveProcessorArea(2 * RECORD_BYTES);

function instructionOf(operation: string, operandSize: Width, registers: readonly number[]): Instruction {
  const instruction = createInstruction();
  instruction.form = {
    id: 0,
    mnemonic: operation,
    operation,
    condition: -1,
    feature: '',
    vex: false,
    vectorState: VectorState.None,
  };
  Object.assign(instruction, {
    length: 5,
    mode: 64,
    operandSize,
    addressSize: 64,
    prefixes: 0,
    operandCount: registers.length,
  });
  registers.forEach((register, i) => {
    Object.assign(instruction.operands[i]!, { kind: OperandKind.Gpr, size: operandSize, register });
  });
  return instruction;
}

/** Executes one operation on registers 8, 9, 10 (destination, first and second source) from these flags. */
function execute(
  operation: string,
  width: Width,
  registers: readonly number[],
  sources: readonly [bigint, bigint],
  flags: number,
) {
  const { cpu, engine } = bench;
  const { state } = cpu;
  engine.binder.write(record, instructionOf(operation, width, registers), 0, false);
  engine.handlers.flush();
  engine.binder.writeSpecial(record + RECORD_BYTES, Handler.Step, 5);
  state.setBig(S.gpr + 8 * DESTINATION, 0x5555_5555_5555_5555n);
  state.setBig(S.gpr + 8 * FIRST, sources[0]);
  state.setBig(S.gpr + 8 * SECOND, sources[1]);
  state.setBig(S.gpr + 8 * RDX, sources[1]);
  cpu.writeRflags(2 | flags);
  engine.handlers.enter(state.base, record, 1, state.low(S.dataTlb));
  return {
    flags: cpu.readRflags(),
    destination: state.big(S.gpr + 8 * DESTINATION),
    first: state.big(S.gpr + 8 * FIRST),
  };
}

const cut = (width: Width, value: bigint): bigint => BigInt.asUintN(width, value);
const signAndZero = (width: Width, result: bigint): number =>
  (result === 0n ? ZF : 0) | (result >> BigInt(width - 1) ? SF : 0);

function lowest(width: Width, result: bigint, carry: boolean): Outcome {
  return { result, flags: signAndZero(width, result) | (carry ? CF : 0), defined: CF | ZF | SF | OF };
}

function bitList(value: bigint, width: Width): number[] {
  return Array.from({ length: width }, (_, i) => i).filter((i) => (value >> BigInt(i)) & 1n);
}

function leadingZeros(value: bigint, width: Width): number {
  return value === 0n ? width : width - value.toString(2).length;
}

function trailingZeros(value: bigint, width: Width): number {
  return value === 0n ? width : bitList(value, width)[0]!;
}

function counted(source: bigint, count: number): Outcome {
  return { result: BigInt(count), flags: (source === 0n ? CF : 0) | (count === 0 ? ZF : 0), defined: CF | ZF };
}

function carryChain(flag: number) {
  return (width: Width, x: bigint, _y: bigint, flags: number): Outcome => {
    const sum = (0x5555_5555_5555_5555n & ((1n << BigInt(width)) - 1n)) + x + (flags & flag ? 1n : 0n);
    const kept = flags & (CF | ZF | SF | OF) & ~flag;
    return { result: cut(width, sum), flags: kept | (sum >> BigInt(width) ? flag : 0), defined: CF | ZF | SF | OF };
  };
}

const DFS = [DESTINATION, FIRST, SECOND];
const DF = [DESTINATION, FIRST];

/** x is the second operand, y the third. */
const OPERATIONS: Record<
  string,
  { registers: readonly number[]; model: (width: Width, x: bigint, y: bigint, flags: number) => Outcome }
> = {
  ANDN: {
    registers: DFS,
    model: (width, x, y) => {
      const result = cut(width, ~x & y);
      return { result, flags: signAndZero(width, result), defined: CF | ZF | SF | OF };
    },
  },
  BEXTR: {
    registers: DFS,
    model: (width, x, y) => {
      const result = (x >> (y & 0xffn)) & ((1n << ((y >> 8n) & 0xffn)) - 1n);
      return { result: cut(width, result), flags: result === 0n ? ZF : 0, defined: CF | ZF | OF };
    },
  },
  BZHI: {
    registers: DFS,
    model: (width, x, y) => lowest(width, x & ((1n << (y & 0xffn)) - 1n), (y & 0xffn) >= width),
  },
  BLSI: { registers: DF, model: (width, x) => lowest(width, cut(width, x & -x), x !== 0n) },
  BLSMSK: { registers: DF, model: (width, x) => lowest(width, cut(width, x ^ (x - 1n)), x === 0n) },
  BLSR: { registers: DF, model: (width, x) => lowest(width, cut(width, x & (x - 1n)), x === 0n) },
  PDEP: {
    registers: DFS,
    model: (width, x, y) => ({
      result: bitList(y, width).reduce((sum, place, i) => sum | (((x >> BigInt(i)) & 1n) << BigInt(place)), 0n),
    }),
  },
  PEXT: {
    registers: DFS,
    model: (width, x, y) => ({
      result: bitList(y, width).reduce((sum, place, i) => sum | (((x >> BigInt(place)) & 1n) << BigInt(i)), 0n),
    }),
  },
  SHLX: { registers: DFS, model: (width, x, y) => ({ result: cut(width, x << (y % BigInt(width))) }) },
  SHRX: { registers: DFS, model: (width, x, y) => ({ result: x >> (y % BigInt(width)) }) },
  SARX: {
    registers: DFS,
    model: (width, x, y) => ({ result: cut(width, BigInt.asIntN(width, x) >> (y % BigInt(width))) }),
  },
  LZCNT: { registers: DF, model: (width, x) => counted(x, leadingZeros(x, width)) },
  TZCNT: { registers: DF, model: (width, x) => counted(x, trailingZeros(x, width)) },
  ADCX: { registers: DF, model: carryChain(CF) },
  ADOX: { registers: DF, model: carryChain(OF) },
  MULX: {
    registers: [DESTINATION, FIRST, FIRST],
    model: (width, x, y) => ({ result: (x * y) >> BigInt(width), low: cut(width, x * y) }),
  },
};

const operand = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 0xffffn }),
);

for (const [operation, { registers, model }] of Object.entries(OPERATIONS))
  test(`${operation} gives what arithmetic gives`, () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Width>(32, 64),
        operand,
        operand,
        fc.constantFrom(0, CF | ZF | SF | OF),
        (width, x, y, flags) => {
          const expected = model(width, cut(width, x), cut(width, y), flags);
          const actual = execute(operation, width, registers, [x, y], flags);
          assert.equal(actual.destination, expected.result);
          if (expected.low !== undefined) assert.equal(actual.first, expected.low);
          const defined = expected.defined ?? CF | ZF | SF | OF;
          assert.equal(actual.flags & defined, (expected.flags ?? flags) & defined);
        },
      ),
      { numRuns: 300, seed: 5 },
    );
  });
