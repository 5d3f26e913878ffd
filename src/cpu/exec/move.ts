/** Data transfer: moves, extensions, exchanges, addresses. */
import {
  type IntegerWidth,
  linearBeyond,
  Register,
  resizeSigned,
  resizeUnsigned,
  signBit,
  widthOf,
} from './operand.ts';
import type { Operation, OperationTable, Place, Sem, Val } from './sem.ts';

const move: Operation = {
  emit: (_b, destination, source) => {
    destination!.write(source!.read());
  },
};

const moveZeroExtended: Operation = {
  emit: (b, destination, source) => {
    destination!.write(resizeUnsigned(b, source!.read(), widthOf(destination!)));
  },
};

const moveSignExtended: Operation = {
  emit: (b, destination, source) => {
    destination!.write(resizeSigned(b, source!.read(), widthOf(source!), widthOf(destination!)));
  },
};

/** A 16-, 32- or 64-bit value with its bytes in the other order. BSWAP of 16 bits is undefined; processors give 0, and so does `bswap`. */
function swapBytes(b: Sem, width: IntegerWidth, value: Val): Val {
  if (width === 16) return b.or(b.shl(value, 8), b.shrU(value, 8));
  if (width === 32) {
    const odd = b.i32(0x00ff00ff);
    return b.or(b.rotr(b.and(value, odd), 8), b.rotl(b.and(value, b.not(odd)), 8));
  }
  const bytes = b.i64(0x00ff00ff00ff00ffn);
  const words = b.i64(0x0000ffff0000ffffn);
  const inWords = b.or(b.and(b.shrU(value, 8), bytes), b.shl(b.and(value, bytes), 8));
  const inDwords = b.or(b.and(b.shrU(inWords, 16), words), b.shl(b.and(inWords, words), 16));
  return b.rotl(inDwords, 32);
}

function exchange(b: Sem, left: Place, right: Place): void {
  if (right.kind === 'memory') {
    exchange(b, right, left);
    return;
  }
  const replacement = right.read();
  const old = left.modify(() => replacement);
  right.write(old);
}

/** CBW and kin: the low half of the accumulator, sign-extended through `to` bits. */
function extendAccumulator(to: 16 | 32 | 64): Operation {
  const from = (to / 2) as IntegerWidth;
  return {
    emit: (b) => {
      b.setGpr(Register.AX, to, resizeSigned(b, b.gpr(Register.AX, from as 8), from, to));
    },
  };
}

/** CWD and kin: the accumulator's sign through the data register. */
function extendIntoData(width: 16 | 32 | 64): Operation {
  return {
    emit: (b) => {
      const sign = signBit(b, width, b.gpr(Register.AX, width));
      b.setGpr(Register.DX, width, b.neg(width === 64 ? b.extendU(sign) : sign));
    },
  };
}

export const moves = {
  MOV: move,
  MOVDIRI: move,
  MOVNTI: move,
  MOVZX: moveZeroExtended,
  MOVSX: moveSignExtended,
  MOVSXD: moveSignExtended,
  MOVBE: {
    emit: (b, destination, source) => {
      destination!.write(swapBytes(b, widthOf(destination!), source!.read()));
    },
  },
  BSWAP: {
    emit: (b, place) => {
      const width = widthOf(place!);
      place!.write(width === 16 ? b.i32(0) : swapBytes(b, width, place!.read()));
    },
  },
  LEA: {
    emit: (b, destination, source) => {
      destination!.write(resizeUnsigned(b, b.effectiveAddress(source!), widthOf(destination!)));
    },
  },
  XCHG: { emit: (b, left, right) => exchange(b, left!, right!) },
  /** The source is read, and a 32-bit destination's upper half cleared, whether the condition holds or not. */
  CMOVcc: {
    emit: (b, destination, source) => {
      const value = source!.read();
      destination!.write(b.select(b.condition(b.facts.condition), value, destination!.read()));
    },
  },
  SETcc: {
    emit: (b, destination) => {
      destination!.write(b.condition(b.facts.condition));
    },
  },
  CBW: extendAccumulator(16),
  CWDE: extendAccumulator(32),
  CDQE: extendAccumulator(64),
  CWD: extendIntoData(16),
  CDQ: extendIntoData(32),
  CQO: extendIntoData(64),
  /** AL = the byte AL bytes after the table at (E/R)BX. */
  XLAT: {
    varies: ['mode', 'addressSize'],
    emit: (b, table) => {
      b.setGpr(Register.AX, 8, b.load(8, linearBeyond(b, table!, b.extendU(b.gpr(Register.AX, 8)))));
    },
  },
} satisfies OperationTable;
