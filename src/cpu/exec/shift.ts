/** Shifts and rotates. Counts are masked to 5 bits (6 at 64 bits); a count of 0 leaves the flags alone. */
import { bit, change, type IntegerWidth, resizeUnsigned, signBit, widthOf } from './operand.ts';
import type { Operation, OperationTable, Place, Sem, Val } from './sem.ts';

/** The masked count as i32. A form without a count operand shifts by 1. */
function maskedCount(b: Sem, count: Place | undefined, width: IntegerWidth): Val {
  if (count === undefined) return b.i32(1);
  return b.and(b.wrap(count.read()), b.i32(width === 64 ? 63 : 31));
}

/** How one kind of shift computes its result, and then the flags from it. Values and count have the operand's type. */
interface ShiftKind {
  result(b: Sem, width: IntegerWidth, value: Val, count: Val): Val;
  carry(b: Sem, width: IntegerWidth, old: Val, count: Val, result: Val): Val;
  overflow(b: Sem, width: IntegerWidth, old: Val, result: Val, carry: Val): Val;
}

function shift(kind: ShiftKind): Operation {
  return {
    emit: (b, destination, countPlace) => {
      const width = widthOf(destination!);
      const count32 = maskedCount(b, countPlace, width);
      const count = resizeUnsigned(b, count32, width);
      const { old, result } = change(destination!, (value) => kind.result(b, width, value, count));
      b.if(count32, () => {
        const carry = kind.carry(b, width, old, count, result);
        b.flagsResult(width, result, carry, kind.overflow(b, width, old, result, carry));
      });
    },
  };
}

/** The bit that a left shift by `count` (not 0) moved out last. */
function shiftedOutLeft(b: Sem, width: IntegerWidth, old: Val, count: Val, result: Val): Val {
  return width < 32 ? bit(b, result, width) : bit(b, old, b.neg(count));
}

/** The bit that a right shift by `count` (not 0) moved out last. */
function shiftedOutRight(b: Sem, width: IntegerWidth, old: Val, count: Val): Val {
  return bit(b, old, b.sub(count, b.int(width, 1)));
}

function signed(b: Sem, width: IntegerWidth, value: Val): Val {
  return width < 32 ? b.signExtend(value, width) : value;
}

const shiftLeft = shift({
  result: (b, _width, value, count) => b.shl(value, count),
  carry: shiftedOutLeft,
  overflow: (b, width, _old, result, carry) => b.xor(carry, signBit(b, width, result)),
});

const shiftRight = shift({
  result: (b, _width, value, count) => b.shrU(value, count),
  carry: shiftedOutRight,
  overflow: (b, width, old) => signBit(b, width, old),
});

const shiftRightArithmetic = shift({
  result: (b, width, value, count) => b.shrS(signed(b, width, value), count),
  carry: (b, width, old, count) => shiftedOutRight(b, width, signed(b, width, old), count),
  overflow: (b) => b.i32(0),
});

/** The 8- or 16-bit value repeated through 32 bits, so that a 32-bit rotate by any count rotates it too. */
function repeated(b: Sem, width: IntegerWidth, value: Val): Val {
  if (width === 8) return b.mul(value, b.i32(0x01010101));
  if (width === 16) return b.or(value, b.shl(value, 16));
  return value;
}

/** Overflow of a rotate to the right: the two uppermost bits of the result differ. */
function topBitsDiffer(b: Sem, width: IntegerWidth, result: Val): Val {
  return b.xor(signBit(b, width, result), bit(b, result, width - 2));
}

function rotate(direction: 'left' | 'right'): Operation {
  const left = direction === 'left';
  return {
    emit: (b, destination, countPlace) => {
      const width = widthOf(destination!);
      const count32 = maskedCount(b, countPlace, width);
      const count = resizeUnsigned(b, count32, width);
      const { result } = change(destination!, (value) => {
        const pattern = repeated(b, width, value);
        return left ? b.rotl(pattern, count) : b.rotr(pattern, count);
      });
      b.if(count32, () => {
        const carry = left ? bit(b, result, 0) : signBit(b, width, result);
        const overflow = left ? b.xor(carry, signBit(b, width, result)) : topBitsDiffer(b, width, result);
        b.flagsSet({ CF: carry, OF: overflow });
      });
    },
  };
}

/** RCL and RCR up to 32 bits: the operand with the carry above it is one number of width + 1 bits, in i64. */
function rotateNarrow(b: Sem, left: boolean, destination: Place, count32: Val): void {
  const width = widthOf(destination);
  const turns = width === 32 ? b.extendU(count32) : b.extendU(b.op('i32.rem_u', count32, b.i32(width + 1)));
  const back = b.sub(b.i64(width + 1), turns);
  const carryAbove = b.shl(b.extendU(b.flag('CF')), width);
  const rotated = (value: Val): Val => {
    const whole = b.or(b.extendU(value), carryAbove);
    return left ? b.or(b.shl(whole, turns), b.shrU(whole, back)) : b.or(b.shrU(whole, turns), b.shl(whole, back));
  };
  const { old, result } = change(destination, (value) => b.wrap(rotated(value)));
  const carry = bit(b, rotated(old), width);
  b.if(count32, () => {
    b.flagsSet({ CF: carry, OF: left ? b.xor(carry, signBit(b, width, result)) : topBitsDiffer(b, width, result) });
  });
}

/** RCL and RCR of 64 bits; the shift by 64 - count is done in two steps, so that it is right at count 1. */
function rotateWide(b: Sem, left: boolean, destination: Place, count32: Val): void {
  const count = b.extendU(count32);
  const carryIn = b.extendU(b.flag('CF'));
  const { old, result } = change(destination, (value) => {
    const rotated = left
      ? b.or(b.or(b.shl(value, count), b.shl(carryIn, b.sub(count, b.i64(1)))), b.shrU(b.shrU(value, 1), b.neg(count)))
      : b.or(b.or(b.shrU(value, count), b.shl(carryIn, b.neg(count))), b.shl(b.shl(value, 1), b.neg(count)));
    return b.select(count32, rotated, value);
  });
  b.if(count32, () => {
    const carry = left ? bit(b, old, b.neg(count)) : shiftedOutRight(b, 64, old, count);
    b.flagsSet({ CF: carry, OF: left ? b.xor(carry, signBit(b, 64, result)) : topBitsDiffer(b, 64, result) });
  });
}

function rotateThroughCarry(direction: 'left' | 'right'): Operation {
  return {
    emit: (b, destination, countPlace) => {
      const width = widthOf(destination!);
      const count32 = maskedCount(b, countPlace, width);
      (width === 64 ? rotateWide : rotateNarrow)(b, direction === 'left', destination!, count32);
    },
  };
}

/** SHLD and SHRD: bits of a second register move in. 16-bit ones shift the 48 bits destination:source:destination. */
function shiftDouble(direction: 'left' | 'right'): Operation {
  const left = direction === 'left';
  return {
    emit: (b, destination, source, countPlace) => {
      const width = widthOf(destination!);
      const count32 = maskedCount(b, countPlace, width);
      const count = resizeUnsigned(b, count32, width);
      const filler = source!.read();
      const { old, result } = change(destination!, (value) => {
        if (width === 16) {
          const outer = b.extendU(value);
          const whole = b.or(b.or(b.shl(outer, 32), b.shl(b.extendU(filler), 16)), outer);
          return b.wrap(left ? b.shrU(b.shl(whole, b.extendU(count32)), 32) : b.shrU(whole, b.extendU(count32)));
        }
        const complement = b.xor(count, b.int(width, width - 1));
        return left
          ? b.or(b.shl(value, count), b.shrU(b.shrU(filler, 1), complement))
          : b.or(b.shrU(value, count), b.shl(b.shl(filler, 1), complement));
      });
      b.if(count32, () => {
        const carry = left ? bit(b, old, b.sub(b.int(width, width), count)) : shiftedOutRight(b, width, old, count);
        b.flagsResult(width, result, carry, b.xor(signBit(b, width, old), signBit(b, width, result)));
      });
    },
  };
}

/** The BMI2 shifts: destination, source, count; no flags. */
function shiftWithoutFlags(compute: (b: Sem, value: Val, count: Val) => Val): Operation {
  return {
    emit: (b, destination, source, countPlace) => {
      const width = widthOf(destination!);
      const value = source!.read();
      destination!.write(compute(b, value, resizeUnsigned(b, countPlace!.read(), width)));
    },
  };
}

export const shifts = {
  SHL: shiftLeft,
  SHR: shiftRight,
  SAR: shiftRightArithmetic,
  ROL: rotate('left'),
  ROR: rotate('right'),
  RCL: rotateThroughCarry('left'),
  RCR: rotateThroughCarry('right'),
  SHLD: shiftDouble('left'),
  SHRD: shiftDouble('right'),
  SHLX: shiftWithoutFlags((b, value, count) => b.shl(value, count)),
  SHRX: shiftWithoutFlags((b, value, count) => b.shrU(value, count)),
  SARX: shiftWithoutFlags((b, value, count) => b.shrS(value, count)),
  RORX: shiftWithoutFlags((b, value, count) => b.rotr(value, count)),
} satisfies OperationTable;
