/** Instructions about single flags, and those that do nothing a program can see. */

import { S } from '../state.ts';
import { Register } from './operand.ts';
import type { Flag, Operation, OperationTable } from './sem.ts';

const INVALID_OPCODE = 6;
const DIRECTION_FLAG = 1 << 10;

/** Flags that LAHF and SAHF move, by their bit in AH, which is their bit in RFLAGS. */
const FLAGS_IN_AH: readonly (readonly [Flag, number])[] = [
  ['CF', 0],
  ['PF', 2],
  ['AF', 4],
  ['ZF', 6],
  ['SF', 7],
];

const nothing: Operation = { emit: () => {} };
const invalid: Operation = { emit: (b) => b.raise(INVALID_OPCODE) };

export const flags = {
  CLC: { emit: (b) => b.flagsSet({ CF: b.i32(0) }) },
  STC: { emit: (b) => b.flagsSet({ CF: b.i32(1) }) },
  CMC: { emit: (b) => b.flagsSet({ CF: b.eqz(b.flag('CF')) }) },
  CLD: { emit: (b) => b.setState(S.rflags, b.and(b.state(S.rflags, 'i32'), b.i32(~DIRECTION_FLAG))) },
  STD: { emit: (b) => b.setState(S.rflags, b.or(b.state(S.rflags, 'i32'), b.i32(DIRECTION_FLAG))) },
  LAHF: {
    emit: (b) => {
      let high = b.i32(1 << 1);
      for (const [flag, position] of FLAGS_IN_AH) high = b.or(high, b.shl(b.flag(flag), position));
      b.setGpr(Register.AX, 16, b.or(b.gpr(Register.AX, 8), b.shl(high, 8)));
    },
  },
  SAHF: {
    emit: (b) => {
      const high = b.shrU(b.gpr(Register.AX, 16), 8);
      b.flagsSet(
        Object.fromEntries(FLAGS_IN_AH.map(([flag, position]) => [flag, b.and(b.shrU(high, position), b.i32(1))])),
      );
    },
  },
  NOP: nothing,
  PREFETCH: nothing,
  LFENCE: nothing,
  MFENCE: nothing,
  SFENCE: nothing,
  CLFLUSH: nothing,
  CLFLUSHOPT: nothing,
  CLWB: nothing,
  UD0: invalid,
  UD1: invalid,
  UD2: invalid,
} satisfies OperationTable;
