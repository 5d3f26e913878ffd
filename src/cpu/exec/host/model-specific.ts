/** RDMSR, WRMSR, RDPID: registers behind a number. */
import type { Instruction } from '../../../isa/index.ts';
import { ExitReason } from '../../exit.ts';
import { Gpr } from '../../gpr.ts';
import { readMsr, writeMsr } from '../../msr.ts';
import type { Processor } from '../../processor.ts';
import { generalProtection, is64Bit } from '../../segments.ts';
import { S } from '../../state.ts';
import { VirtualApic } from '../../virtual-apic.ts';
import type { OperationTable } from '../sem.ts';
import { requireSupervisor, writeGpr } from './operand.ts';

const RAX = S.gpr + Gpr.Rax * 8;
const RCX = S.gpr + Gpr.Rcx * 8;
const RDX = S.gpr + Gpr.Rdx * 8;

function isNative(cpu: Processor, allowed: ReadonlySet<number>, number: number): boolean {
  return allowed.has(number) || (cpu.controls.virtualApic && VirtualApic.isRegister(number));
}

function readModelSpecific(cpu: Processor, instruction: Instruction): void {
  requireSupervisor(cpu);
  const number = cpu.state.low(RCX) >>> 0;
  if (!isNative(cpu, cpu.controls.nativeMsrReads, number)) {
    cpu.leave(ExitReason.Rdmsr, instruction);
    return;
  }
  if (!readMsr(cpu, number)) throw generalProtection(0);
  cpu.state.set(RAX, cpu.dataLow, 0);
  cpu.state.set(RDX, cpu.dataHigh, 0);
}

function writeModelSpecific(cpu: Processor, instruction: Instruction): void {
  requireSupervisor(cpu);
  const { state } = cpu;
  const number = state.low(RCX) >>> 0;
  if (!isNative(cpu, cpu.controls.nativeMsrWrites, number)) {
    cpu.leave(ExitReason.Wrmsr, instruction);
    return;
  }
  if (!writeMsr(cpu, number, state.low(RAX), state.low(RDX))) throw generalProtection(0);
}

export const modelSpecificOperations: OperationTable = {
  RDMSR: { host: readModelSpecific },
  WRMSR: { host: writeModelSpecific, endsBlock: true },
  RDPID: {
    host: (cpu, instruction) =>
      writeGpr(cpu, instruction.operands[0].register, is64Bit(cpu) ? 64 : 32, cpu.state.low(S.tscAux), 0),
  },
};
