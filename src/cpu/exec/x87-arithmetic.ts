/** x87 arithmetic, comparison and rounding on the register stack (SDM Vol. 1, "x87 FPU Instruction Set"). */
import type { Instruction } from '../../isa/index.ts';
import {
  add,
  compare,
  divide,
  type FloatEnvironment,
  multiply,
  type Ordering,
  squareRoot,
  subtract,
  toIntegral,
} from '../fpu/arithmetic.ts';
import { EXTENDED, type FloatValue, type Format, INDEFINITE, zero } from '../fpu/format.ts';
import type { RegisterStack } from '../fpu/register-stack.ts';
import { Exception, isEmpty, Status } from '../fpu/x87-state.ts';
import type { Processor } from '../processor.ts';
import type { Operation, OperationTable } from './sem.ts';
import { hasMemory, loadFloat, loadInteger, x87 } from './x87-operand.ts';

type Arithmetic = (env: FloatEnvironment, a: FloatValue, b: FloatValue, format: Format) => FloatValue;
const reversed =
  (operation: Arithmetic): Arithmetic =>
  (env, a, b, format) =>
    operation(env, b, a, format);

type Load = (cpu: Processor, instruction: Instruction) => FloatValue;

interface Shape {
  readonly load?: Load;
  readonly pops?: boolean;
}

/** target = target op source; the target is ST(0) with a memory source. */
const arithmetic = (operation: Arithmetic, { load = loadFloat, pops = false }: Shape = {}): Operation =>
  x87((stack, instruction, cpu) => {
    const inMemory = hasMemory(instruction);
    const memory = inMemory ? load(cpu, instruction) : undefined;
    const target = inMemory ? 0 : instruction.operands[0].register;
    const source = inMemory ? 0 : instruction.operands[1].register;
    stack.usePrecisionControl();
    const result = stack.underflows(target, source)
      ? INDEFINITE
      : operation(stack.env, stack.value(target), memory ?? stack.value(source), EXTENDED);
    if (!stack.refused) {
      stack.set(target, result);
      if (pops) stack.pop();
    }
    stack.settle();
  });

const family = (name: string, operation: Arithmetic): OperationTable => ({
  [`F${name}`]: arithmetic(operation),
  [`F${name}P`]: arithmetic(operation, { pops: true }),
  [`FI${name}`]: arithmetic(operation, { load: loadInteger }),
});

/** Processors set these whether or not the exception they signal is masked. */
const CONDITION_BITS: Readonly<Record<Ordering, number>> = {
  greater: 0,
  less: Status.C0,
  equal: Status.C3,
  unordered: Status.C0 | Status.C2 | Status.C3,
};

interface CompareShape extends Shape {
  readonly quietNans?: boolean;
  readonly popsTwice?: boolean;
}

/** What ST(0) is compared with. Without operands: ST(1). */
function otherRegister(instruction: Instruction): number {
  return instruction.operandCount === 0 ? 1 : instruction.operands[(instruction.operandCount - 1) as 0 | 1].register;
}

function ordering(stack: RegisterStack, quiet: boolean, source: FloatValue | number): Ordering {
  if (stack.underflows(0, ...(typeof source === 'number' ? [source] : []))) return 'unordered';
  return compare(stack.env, stack.value(0), typeof source === 'number' ? stack.value(source) : source, !quiet);
}

const comparison = (shape: CompareShape = {}): Operation =>
  x87((stack, instruction, cpu) => {
    const { load = loadFloat, quietNans = false, pops = false, popsTwice = false } = shape;
    const source = hasMemory(instruction) ? load(cpu, instruction) : otherRegister(instruction);
    const order = ordering(stack, quietNans, source);
    stack.setConditions(CONDITION_BITS[order]);
    if (!stack.refused) {
      if (pops || popsTwice) stack.pop();
      if (popsTwice) stack.pop();
    }
    stack.settle(false);
  });

const test = x87((stack) => {
  const order = ordering(stack, false, zero(0));
  stack.setConditions(CONDITION_BITS[order]);
  stack.settle(false);
});

/** ZF 6, PF 2, CF 0; the other arithmetic flags are cleared. */
const FLAG_BITS: Readonly<Record<Ordering, number>> = { greater: 0, less: 1, equal: 0x40, unordered: 0x45 };
const ARITHMETIC_FLAGS = 0x8d5;

const compareToFlags = (shape: CompareShape): Operation =>
  x87((stack, instruction, cpu) => {
    const order = ordering(stack, shape.quietNans ?? false, otherRegister(instruction));
    cpu.writeRflags((cpu.readRflags() & ~ARITHMETIC_FLAGS) | FLAG_BITS[order]);
    if (!stack.refused && shape.pops) stack.pop();
    stack.settle(stack.c1);
  });

const examine = x87((stack, _instruction, cpu) => {
  const { C0, C2, C3 } = Status;
  const value = stack.value(0);
  const kinds = { unsupported: 0, nan: C0, finite: C2, infinity: C2 | C0, zero: C3 };
  const denormal = value.denormal ? C3 | C2 : undefined;
  stack.setConditions(isEmpty(cpu, 0) ? C3 | C0 : (denormal ?? kinds[value.kind]));
  stack.settle(((stack.bits(0) >> 79n) & 1n) === 1n);
});

/** ST(0) = change(ST(0)) */
const unary = (change: (env: FloatEnvironment, value: FloatValue) => FloatValue, precisionControl = false): Operation =>
  x87((stack) => {
    if (precisionControl) stack.usePrecisionControl();
    const result = stack.underflows(0) ? INDEFINITE : change(stack.env, stack.value(0));
    if (!stack.refused) stack.set(0, result);
    stack.settle();
  });

const SIGN_BIT = 1n << 79n;

/** FABS and FCHS touch the sign bit only, of any pattern. */
const signBit = (change: (bits: bigint) => bigint): Operation =>
  x87((stack) => {
    if (stack.underflows(0)) {
      if (!stack.refused) stack.set(0, INDEFINITE);
    } else stack.setBits(0, change(stack.bits(0)));
    stack.settle(false);
  });

export const x87ArithmeticOperations: OperationTable = {
  ...family('ADD', add),
  ...family('SUB', subtract),
  ...family('SUBR', reversed(subtract)),
  ...family('MUL', multiply),
  ...family('DIV', divide),
  ...family('DIVR', reversed(divide)),
  FCOM: comparison(),
  FCOMP: comparison({ pops: true }),
  FCOMPP: comparison({ popsTwice: true }),
  FICOM: comparison({ load: loadInteger }),
  FICOMP: comparison({ load: loadInteger, pops: true }),
  FUCOM: comparison({ quietNans: true }),
  FUCOMP: comparison({ quietNans: true, pops: true }),
  FUCOMPP: comparison({ quietNans: true, popsTwice: true }),
  FCOMI: compareToFlags({}),
  FCOMIP: compareToFlags({ pops: true }),
  FUCOMI: compareToFlags({ quietNans: true }),
  FUCOMIP: compareToFlags({ quietNans: true, pops: true }),
  FTST: test,
  FXAM: examine,
  FABS: signBit((bits) => bits & ~SIGN_BIT),
  FCHS: signBit((bits) => bits ^ SIGN_BIT),
  FSQRT: unary((env, value) => squareRoot(env, value, EXTENDED), true),
  FRNDINT: unary((env, value) => {
    const rounded = toIntegral(env, value);
    if (value.denormal) env.signal(Exception.Denormal);
    return rounded;
  }),
};
