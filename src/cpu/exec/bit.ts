/** Bits: tests by number, scans, counts, BMI extractions, CRC32. */
import { bit, type IntegerWidth, linearBeyond, resizeSigned, resizeUnsigned, widthOf } from './operand.ts';
import type { Operation, OperationTable, Place, Sem, Val } from './sem.ts';

/** BT, BTS, BTR, BTC: a register number addresses memory as one long bit string, anything else counts within the operand. */
function bitTest(changed?: (b: Sem, value: Val, mask: Val) => Val): Operation {
  return {
    varies: ['mode', 'addressSize'],
    emit: (b, base, number) => {
      const width = widthOf(base!);
      const offset = number!.read();
      const index = b.and(resizeUnsigned(b, offset, width), b.int(width, width - 1));
      const compute =
        changed === undefined ? undefined : (value: Val) => changed(b, value, b.shl(b.int(width, 1), index));
      let old: Val;
      if (base!.kind === 'memory' && number!.kind === 'gpr') {
        const element = b.shrS(resizeSigned(b, offset, width, 64), Math.log2(width));
        const linear = linearBeyond(b, base!, b.shl(element, Math.log2(width / 8)));
        old = compute === undefined ? b.load(width, linear) : b.modify(width, linear, compute);
      } else old = compute === undefined ? base!.read() : base!.modify(compute);
      b.flagsSet({ CF: bit(b, old, index) });
    },
  };
}

function countTrailingZeros(b: Sem, width: IntegerWidth, value: Val): Val {
  if (width === 64) return b.op('i64.ctz', value);
  return b.op('i32.ctz', width === 32 ? value : b.or(value, b.i32(1 << width)));
}

function countLeadingZeros(b: Sem, width: IntegerWidth, value: Val): Val {
  if (width === 64) return b.op('i64.clz', value);
  const count = b.op('i32.clz', value);
  return width === 32 ? count : b.sub(count, b.i32(32 - width));
}

/** BSF and BSR: nothing is written when the source is 0. */
function scan(find: (b: Sem, width: IntegerWidth, value: Val) => Val): Operation {
  return {
    emit: (b, destination, source) => {
      const width = widthOf(destination!);
      const value = source!.read();
      b.flagsLogic(width, value);
      b.if(b.ne(value, b.int(width, 0)), () => destination!.write(find(b, width, value)));
    },
  };
}

/** TZCNT and LZCNT: the width if the source is 0. */
function count(find: (b: Sem, width: IntegerWidth, value: Val) => Val): Operation {
  return {
    emit: (b, destination, source) => {
      const width = widthOf(destination!);
      const value = source!.read();
      const result = find(b, width, value);
      b.flagsResult(width, result, b.eqz(value), b.i32(0));
      destination!.write(result);
    },
  };
}

/** The `count` lowest bits set; `count` is below the width. */
function lowMask(b: Sem, width: IntegerWidth, bits: Val): Val {
  return b.sub(b.shl(b.int(width, 1), bits), b.int(width, 1));
}

/** BLSI, BLSMSK, BLSR: the lowest set bit and what is around it. CF tells whether there was one, or whether there was none. */
function lowestBit(compute: (b: Sem, value: Val, below: Val) => Val, carryIfZero: boolean): Operation {
  return {
    emit: (b, destination, source) => {
      const width = widthOf(destination!);
      const value = source!.read();
      const result = compute(b, value, b.sub(value, b.int(width, 1)));
      const isZero = b.eqz(value);
      b.flagsResult(width, result, carryIfZero ? isZero : b.eqz(isZero), b.i32(0));
      destination!.write(result);
    },
  };
}

/** PDEP and PEXT: one round per set bit of the mask; `step` gets the mask's lowest set bit. */
function throughMask(
  start: (b: Sem, width: IntegerWidth, value: Val) => Val,
  step: (b: Sem, value: Val, moving: Val, lowest: Val) => { set: Val; moved: Val },
): Operation {
  return {
    emit: (b, destination, source, maskPlace) => {
      const width = widthOf(destination!);
      const value = source!.read();
      const result = b.variable(b.int(width, 0));
      const moving = b.variable(start(b, width, value));
      const mask = b.variable(maskPlace!.read());
      b.loop((stop) => {
        const left = b.get(mask);
        b.if(b.eqz(left), stop);
        const { set, moved } = step(b, value, b.get(moving), b.and(left, b.neg(left)));
        b.set(result, b.or(b.get(result), set));
        b.set(moving, moved);
        b.set(mask, b.and(left, b.sub(left, b.int(width, 1))));
      });
      destination!.write(b.get(result));
    },
  };
}

/** All ones if bit 0 of `value` is set, else 0. */
function spreadLowBit(b: Sem, value: Val): Val {
  const width = value.type === 'i64' ? 64 : 32;
  return b.neg(b.and(value, b.int(width, 1)));
}

const CRC32C_REVERSED_POLYNOMIAL = 0x82f63b78;

function crc32(b: Sem, destination: Place, source: Place): void {
  const sourceWidth = widthOf(source);
  const data = source.read();
  const checksum = b.variable(b.xor(b.wrap(destination.read()), b.wrap(data)));
  const takeIn = (bits: number): void => {
    const left = b.variable(b.i32(bits));
    b.loop((stop) => {
      const value = b.get(checksum);
      b.set(checksum, b.xor(b.shrU(value, 1), b.and(b.i32(CRC32C_REVERSED_POLYNOMIAL | 0), spreadLowBit(b, value))));
      b.set(left, b.sub(b.get(left), b.i32(1)));
      b.if(b.eqz(b.get(left)), stop);
    });
  };
  takeIn(Math.min(sourceWidth, 32));
  if (sourceWidth === 64) {
    b.set(checksum, b.xor(b.get(checksum), b.wrap(b.shrU(data, 32))));
    takeIn(32);
  }
  destination.write(resizeUnsigned(b, b.get(checksum), widthOf(destination)));
}

export const bits = {
  BT: bitTest(),
  BTS: bitTest((b, value, mask) => b.or(value, mask)),
  BTR: bitTest((b, value, mask) => b.and(value, b.not(mask))),
  BTC: bitTest((b, value, mask) => b.xor(value, mask)),
  BSF: scan(countTrailingZeros),
  BSR: scan((b, width, value) => b.sub(b.int(width, width - 1), countLeadingZeros(b, width, value))),
  TZCNT: count(countTrailingZeros),
  LZCNT: count(countLeadingZeros),
  POPCNT: {
    emit: (b, destination, source) => {
      const width = widthOf(destination!);
      const value = source!.read();
      const none = b.i32(0);
      b.flagsSet({ CF: none, PF: none, AF: none, ZF: b.eqz(value), SF: none, OF: none });
      destination!.write(b.op(width === 64 ? 'i64.popcnt' : 'i32.popcnt', value));
    },
  },
  ANDN: {
    emit: (b, destination, inverted, source) => {
      const result = b.and(b.not(inverted!.read()), source!.read());
      b.flagsLogic(widthOf(destination!), result);
      destination!.write(result);
    },
  },
  /** The control register holds the first bit's number in bits 7:0 and the length in bits 15:8. */
  BEXTR: {
    emit: (b, destination, source, control) => {
      const width = widthOf(destination!);
      const zero = b.int(width, 0);
      const value = source!.read();
      const fields = control!.read();
      const start = b.zeroExtend(fields, 8);
      const length = b.zeroExtend(b.shrU(fields, 8), 8);
      const shifted = b.select(b.geU(start, b.int(width, width)), zero, b.shrU(value, start));
      const result = b.select(b.geU(length, b.int(width, width)), shifted, b.and(shifted, lowMask(b, width, length)));
      b.flagsLogic(width, result);
      destination!.write(result);
    },
  },
  BZHI: {
    emit: (b, destination, source, number) => {
      const width = widthOf(destination!);
      const value = source!.read();
      const first = b.zeroExtend(number!.read(), 8);
      const beyond = b.geU(first, b.int(width, width));
      const result = b.select(beyond, value, b.and(value, lowMask(b, width, first)));
      b.flagsResult(width, result, beyond, b.i32(0));
      destination!.write(result);
    },
  },
  BLSI: lowestBit((b, value) => b.and(value, b.neg(value)), false),
  BLSMSK: lowestBit((b, value, below) => b.xor(value, below), true),
  BLSR: lowestBit((b, value, below) => b.and(value, below), true),
  PDEP: throughMask(
    (_b, _width, value) => value,
    (b, _value, moving, lowest) => ({ set: b.and(lowest, spreadLowBit(b, moving)), moved: b.shrU(moving, 1) }),
  ),
  PEXT: throughMask(
    (b, width) => b.int(width, 1),
    (b, value, moving, lowest) => {
      const isZero = b.eqz(b.and(value, lowest));
      const none = b.int(value.type === 'i64' ? 64 : 32, 0);
      return { set: b.select(isZero, none, moving), moved: b.shl(moving, 1) };
    },
  ),
  CRC32: { emit: (b, destination, source) => crc32(b, destination!, source!) },
} satisfies OperationTable;
