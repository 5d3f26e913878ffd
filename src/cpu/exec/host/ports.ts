/** IN, OUT, INS, OUTS: the permission check, then the exit (SDM vol. 1, "I/O Protection Mechanism"; vol. 3, "Exit Qualification for I/O Instructions"). */

import { type Instruction, OperandKind, Prefix, Rflags } from '../../../isa/index.ts';
import { addressOf } from '../../effective-address.ts';
import { ExitReason } from '../../exit.ts';
import { Gpr } from '../../gpr.ts';
import type { Processor } from '../../processor.ts';
import { generalProtection } from '../../segments.ts';
import { S } from '../../state.ts';
import type { OperationTable } from '../sem.ts';

const DIRECTION_IN = 1 << 3;
const STRING = 1 << 4;
const REPEATED = 1 << 5;
const IMMEDIATE_PORT = 1 << 6;
/** offset in the TSS of the pointer to the I/O permission bitmap */
const BITMAP_POINTER = 0x66;

/** #GP(0) unless IOPL or the task's bitmap allows every byte of the access. */
function checkPermission(cpu: Processor, port: number, sizeBytes: number): void {
  const { state } = cpu;
  if (state.low(S.cpl) <= (state.low(S.rflags) & Rflags.IOPL) >> 12) return;
  const limit = state.low(S.trLimit) >>> 0;
  const loadTss = (offset: number, bytes: number): number => {
    if (offset + bytes - 1 > limit) throw generalProtection(0);
    const low = state.low(S.trBase);
    const sum = (low + offset) | 0;
    return cpu.load(sum, (state.high(S.trBase) + (sum >>> 0 < low >>> 0 ? 1 : 0)) | 0, bytes, true);
  };
  const bitmap = loadTss(BITMAP_POINTER, 2);
  // Two bytes are read whatever the port, so the bitmap needs one byte more than it uses.
  const bits = loadTss(bitmap + (port >> 3), 2) >> (port & 7);
  if ((bits & ((1 << sizeBytes) - 1)) !== 0) throw generalProtection(0);
}

function portAccess(
  cpu: Processor,
  instruction: Instruction,
  portOperand: number,
  dataOperand: number,
  flags: number,
): void {
  const { state } = cpu;
  const immediate = instruction.operands[portOperand]!.kind === OperandKind.Immediate;
  const port = immediate ? instruction.immediateLow & 0xff : state.low(S.gpr + Gpr.Rdx * 8) & 0xffff;
  const sizeBytes = instruction.operands[dataOperand]!.size >> 3;
  checkPermission(cpu, port, sizeBytes);
  cpu.leave(ExitReason.IoInstruction, instruction);
  cpu.exit.qualificationLow = (sizeBytes - 1) | flags | (immediate ? IMMEDIATE_PORT : 0) | (port << 16);
  if ((flags & STRING) !== 0) {
    addressOf(cpu, instruction);
    cpu.exit.guestLinearLow = cpu.addressLow;
    cpu.exit.guestLinearHigh = cpu.addressHigh;
    const addressSize = instruction.addressSize === 64 ? 2 : instruction.addressSize === 32 ? 1 : 0;
    cpu.exit.instructionInformation = (addressSize << 7) | (instruction.segment << 15);
  }
}

const repeated = (instruction: Instruction): number =>
  (instruction.prefixes & (Prefix.Rep | Prefix.RepNe)) !== 0 ? REPEATED : 0;

export const portOperations: OperationTable = {
  IN: { host: (cpu, instruction) => portAccess(cpu, instruction, 1, 0, DIRECTION_IN) },
  OUT: { host: (cpu, instruction) => portAccess(cpu, instruction, 0, 1, 0) },
  INS: {
    host: (cpu, instruction) => portAccess(cpu, instruction, 1, 0, DIRECTION_IN | STRING | repeated(instruction)),
  },
  OUTS: { host: (cpu, instruction) => portAccess(cpu, instruction, 0, 1, STRING | repeated(instruction)) },
};
