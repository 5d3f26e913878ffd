/** Read-modify-write instructions of synchronisation. One processor runs at a time, so LOCK changes nothing. */
import { change, Register, widthOf } from './operand.ts';
import type { OperationTable } from './sem.ts';

const GENERAL_PROTECTION = 13;

export const atomics = {
  /** XADD r, r with one register twice leaves the sum in it. */
  XADD: {
    emit: (b, destination, source) => {
      const width = widthOf(destination!);
      const addend = source!.read();
      if (destination!.kind === 'memory') {
        const { old, result } = change(destination!, (value) => b.add(value, addend));
        b.flagsAdd(width, old, addend, result);
        source!.write(old);
        return;
      }
      const old = destination!.read();
      const sum = b.add(old, addend);
      b.flagsAdd(width, old, addend, sum);
      source!.write(old);
      destination!.write(sum);
    },
  },
  /** Memory is written in any case, with itself if it differs from the accumulator; a register only if they are equal. */
  CMPXCHG: {
    emit: (b, destination, source) => {
      const width = widthOf(destination!);
      const expected = b.gpr(Register.AX, width);
      const replacement = source!.read();
      const inMemory = destination!.kind === 'memory';
      const old = inMemory
        ? destination!.modify((value) => b.select(b.eq(value, expected), replacement, value))
        : destination!.read();
      b.flagsSub(width, expected, old, b.sub(expected, old));
      b.if(
        b.ne(expected, old),
        () => b.setGpr(Register.AX, width, old),
        inMemory ? undefined : () => destination!.write(replacement),
      );
    },
  },
  CMPXCHG8B: {
    emit: (b, destination) => {
      const pair = (high: number, low: number) =>
        b.or(b.extendU(b.gpr(low, 32)), b.shl(b.extendU(b.gpr(high, 32)), 32));
      const expected = pair(Register.DX, Register.AX);
      const replacement = pair(Register.CX, Register.BX);
      const old = destination!.modify((value) => b.select(b.eq(value, expected), replacement, value));
      const equal = b.eq(expected, old);
      b.flagsSet({ ZF: equal });
      b.if(b.eqz(equal), () => {
        b.setGpr(Register.AX, 32, b.wrap(old));
        b.setGpr(Register.DX, 32, b.wrap(b.shrU(old, 32)));
      });
    },
  },
  /** Two halves of an aligned 16 bytes: the first access already faults as the whole would. */
  CMPXCHG16B: {
    emit: (b, destination) => {
      const linear = b.linear(destination!);
      b.if(b.wrap(b.and(linear, b.i64(15))), () => b.raise(GENERAL_PROTECTION, 0));
      const linearHigh = b.add(linear, b.i64(8));
      const expectedLow = b.gpr(Register.AX, 64);
      const expectedHigh = b.gpr(Register.DX, 64);
      const oldLow = b.modify(64, linear, (value) => value);
      const oldHigh = b.load(64, linearHigh);
      const equal = b.and(b.eq(oldLow, expectedLow), b.eq(oldHigh, expectedHigh));
      b.if(
        equal,
        () => {
          b.store(64, linear, b.gpr(Register.BX, 64));
          b.store(64, linearHigh, b.gpr(Register.CX, 64));
        },
        () => {
          b.setGpr(Register.AX, 64, oldLow);
          b.setGpr(Register.DX, 64, oldHigh);
        },
      );
      b.flagsSet({ ZF: equal });
    },
  },
} satisfies OperationTable;
