/** x87 loads, stores, conversions, constants and exchanges. */
import { convert, FloatEnvironment, round, toInteger } from '../fpu/arithmetic.ts';
import { DECIMAL_DIGITS, decimalFromPacked, INDEFINITE_DECIMAL, packedFromDecimal } from '../fpu/decimal.ts';
import { EXTENDED, INDEFINITE, pack } from '../fpu/format.ts';
import { constants } from '../fpu/transcendental.ts';
import { Exception, isEmpty } from '../fpu/x87-state.ts';
import type { Operation, OperationTable } from './sem.ts';
import { formatOfSize, hasMemory, loadBits, loadFloat, loadInteger, storeBits, x87 } from './x87-operand.ts';

const INDEFINITE_BITS = pack(INDEFINITE, EXTENDED);

const loadReal = x87((stack, instruction, cpu) => {
  if (!hasMemory(instruction)) {
    const source = instruction.operands[0].register;
    stack.push(stack.underflows(source) ? INDEFINITE_BITS : stack.bits(source));
  } else if (instruction.operands[0].size === 80) {
    stack.push(loadBits(cpu, instruction));
  } else {
    const value = convert(stack.env, loadFloat(cpu, instruction), EXTENDED);
    stack.push(pack(value, EXTENDED));
  }
  stack.settle();
});

const loadWhole = x87((stack, instruction, cpu) => {
  stack.push(pack(loadInteger(cpu, instruction), EXTENDED));
  stack.settle();
});

const storeReal = (pops: boolean): Operation =>
  x87((stack, instruction, cpu) => {
    const target = instruction.operands[0];
    const empty = stack.underflows(0);
    if (!hasMemory(instruction)) {
      if (!stack.refused) stack.setBits(target.register, empty ? INDEFINITE_BITS : stack.bits(0));
    } else if (target.size === 80) {
      if (!stack.refused) storeBits(cpu, instruction, 80, empty ? INDEFINITE_BITS : stack.bits(0));
    } else {
      const format = formatOfSize(target.size);
      const value = empty ? INDEFINITE : convert(stack.env, stack.value(0), format, false);
      if (!stack.storeRefused) storeBits(cpu, instruction, target.size, pack(value, format));
    }
    if (pops && !(hasMemory(instruction) ? stack.storeRefused : stack.refused)) stack.pop();
    stack.settle();
  });

/** The second encoding of FSTP ST(i) signals nothing: from an empty register it only pops. */
const storeUnchecked = x87((stack, instruction, cpu) => {
  if (!isEmpty(cpu, 0)) stack.setBits(instruction.operands[0].register, stack.bits(0));
  stack.pop();
  stack.settle(false);
});

const TRUNCATE = 3;

/** FIST, FISTP and FISTTP; what does not fit is the integer indefinite. */
const storeWhole = (pops: boolean, truncates = false): Operation =>
  x87((stack, instruction, cpu) => {
    const bits = instruction.operands[0].size;
    const value = stack.underflows(0)
      ? undefined
      : toInteger(stack.env, stack.value(0), bits, truncates ? TRUNCATE : stack.env.rounding);
    if (!stack.refused) {
      storeBits(cpu, instruction, bits, BigInt.asUintN(bits, value ?? 1n << BigInt(bits - 1)));
      if (pops) stack.pop();
    }
    stack.settle();
  });

const loadDecimal = x87((stack, instruction, cpu) => {
  stack.push(pack(decimalFromPacked(loadBits(cpu, instruction, 80)), EXTENDED));
  stack.settle();
});

const storeDecimal = x87((stack, instruction, cpu) => {
  const value = stack.underflows(0) ? undefined : toInteger(stack.env, stack.value(0), 64);
  const fits = value !== undefined && (value < 0n ? -value : value) < 10n ** BigInt(DECIMAL_DIGITS);
  if (!fits) {
    stack.env.flags = Exception.Invalid;
    stack.env.roundedUp = false;
  }
  if (!stack.refused) {
    const negative = stack.bits(0) >> 79n === 1n;
    storeBits(cpu, instruction, 80, fits ? packedFromDecimal(value, negative) : INDEFINITE_DECIMAL);
    stack.pop();
  }
  stack.settle();
});

const exchange = x87((stack, instruction) => {
  const other = instruction.operands[0].register;
  const empty = stack.underflows(0, other);
  if (!stack.refused) {
    const { cpu } = stack;
    const bitsOf = (index: number): bigint => (empty && isEmpty(cpu, index) ? INDEFINITE_BITS : stack.bits(index));
    const [first, second] = [bitsOf(0), bitsOf(other)];
    stack.setBits(0, second);
    stack.setBits(other, first);
  }
  stack.settle(false);
});

/** FLDPI and the like: rounded by the rounding control, never inexact. */
const constant = (numerator: bigint, exponent: number): Operation =>
  x87((stack) => {
    const quiet = new FloatEnvironment();
    quiet.rounding = stack.env.rounding;
    stack.push(pack(round(quiet, 0, numerator, exponent, EXTENDED), EXTENDED));
    stack.settle(false);
  });
const irrational = (fixed: bigint): Operation => constant(fixed, -constants.fractionBits);

/** FCMOVcc by the flags of the last comparison. */
const conditional = (holds: (flags: number) => boolean): Operation =>
  x87((stack, instruction, cpu) => {
    const source = instruction.operands[1].register;
    const empty = stack.underflows(0, source);
    if (!stack.refused && (empty || holds(cpu.readRflags())))
      stack.setBits(0, empty ? INDEFINITE_BITS : stack.bits(source));
    stack.settle(stack.c1);
  });
const CF = 1;
const PF = 4;
const ZF = 0x40;

export const x87MoveOperations: OperationTable = {
  FLD: loadReal,
  FILD: loadWhole,
  FBLD: loadDecimal,
  FST: storeReal(false),
  FSTP: storeReal(true),
  FSTPNCE: storeUnchecked,
  FIST: storeWhole(false),
  FISTP: storeWhole(true),
  FISTTP: storeWhole(true, true),
  FBSTP: storeDecimal,
  FXCH: exchange,
  FLDZ: constant(0n, 0),
  FLD1: constant(1n, 0),
  FLDPI: irrational(constants.pi),
  FLDL2T: irrational(constants.log2Of10),
  FLDL2E: irrational(constants.log2OfE),
  FLDLG2: irrational(constants.log10Of2),
  FLDLN2: irrational(constants.ln2),
  FCMOVB: conditional((flags) => (flags & CF) !== 0),
  FCMOVE: conditional((flags) => (flags & ZF) !== 0),
  FCMOVBE: conditional((flags) => (flags & (CF | ZF)) !== 0),
  FCMOVU: conditional((flags) => (flags & PF) !== 0),
  FCMOVNB: conditional((flags) => (flags & CF) === 0),
  FCMOVNE: conditional((flags) => (flags & ZF) === 0),
  FCMOVNBE: conditional((flags) => (flags & (CF | ZF)) === 0),
  FCMOVNU: conditional((flags) => (flags & PF) === 0),
};
