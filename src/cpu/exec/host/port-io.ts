/** IN, OUT, INS, OUTS: privilege, then always an exit with VMX's I/O qualification (SDM vol. 3, "Exit Qualification for I/O Instructions"). */
import { type Instruction, OperandKind, Prefix } from '../../../isa/instruction.ts';
import { Rflags } from '../../architecture.ts';
import { ExitReason } from '../../exit.ts';
import { Gpr } from '../../gpr.ts';
import type { Processor } from '../../processor.ts';
import { generalProtection } from '../../segments.ts';
import { S } from '../../state.ts';
import type { OperationTable } from '../sem.ts';

const IN = 1 << 3;
const STRING = 1 << 4;
const REPEATED = 1 << 5;
const IMMEDIATE = 1 << 6;

/** Offset of the I/O map base in a task state segment. */
const TSS_IO_MAP = 0x66;

/** Level 0..IOPL may; others need every bit of the port clear in the task's I/O permission map. */
function checkPermission(cpu: Processor, port: number, bytes: number): void {
  const { state } = cpu;
  if (state.low(S.cpl) <= (state.low(S.rflags) & Rflags.Iopl) >> 12) return;
  const [low, high] = [state.low(S.trBase), state.high(S.trBase)];
  const at = (offset: number): number =>
    cpu.load((low + offset) | 0, high + ((low >>> 0) + offset > 0xffff_ffff ? 1 : 0), 2, true);
  const limit = state.low(S.trLimit) >>> 0;
  if (limit < TSS_IO_MAP + 1) throw generalProtection(0);
  const offset = at(TSS_IO_MAP) + (port >> 3);
  if (offset + 1 > limit || ((at(offset) >> (port & 7)) & ((1 << bytes) - 1)) !== 0) throw generalProtection(0);
}

function access(direction: number, string: boolean) {
  return (cpu: Processor, instruction: Instruction): void => {
    const memory = instruction.operands
      .slice(0, instruction.operandCount)
      .find((operand) => operand.kind === OperandKind.Memory);
    const data = memory ?? instruction.operands[direction === IN ? 0 : 1];
    const bytes = data.size >> 3;
    const immediate = instruction.operands
      .slice(0, instruction.operandCount)
      .some((operand) => operand.kind === OperandKind.Immediate);
    const port = immediate ? instruction.immediateLow & 0xff : cpu.state.low(S.gpr + Gpr.Rdx * 8) & 0xffff;
    checkPermission(cpu, port, bytes);
    const exit = cpu.exitFor(ExitReason.IoInstruction, instruction);
    const repeated = (instruction.prefixes & (Prefix.Rep | Prefix.RepNe)) !== 0 ? REPEATED : 0;
    cpu.exit.qualificationLow =
      (bytes - 1) | direction | (string ? STRING | repeated : 0) | (immediate ? IMMEDIATE : 0) | (port << 16);
    throw exit;
  };
}

export const portOperations: OperationTable = {
  IN: { host: access(IN, false), endsBlock: true },
  OUT: { host: access(0, false), endsBlock: true },
  INS: { host: access(IN, true), endsBlock: true },
  OUTS: { host: access(0, true), endsBlock: true },
};
