/** RDMSR and WRMSR: native where the controls say so, an exit otherwise. */
import type { Instruction } from '../../../isa/instruction.ts';
import { ExitReason } from '../../exit.ts';
import { Gpr } from '../../gpr.ts';
import { readMsr, writeMsr } from '../../msr.ts';
import type { Processor } from '../../processor.ts';
import { generalProtection } from '../../segments.ts';
import { S } from '../../state.ts';
import type { OperationTable } from '../sem.ts';
import { requireSupervisor } from './operand.ts';

const RAX = S.gpr + Gpr.Rax * 8;
const RDX = S.gpr + Gpr.Rdx * 8;
const RCX = S.gpr + Gpr.Rcx * 8;

function read(cpu: Processor, instruction: Instruction): void {
  requireSupervisor(cpu);
  const number = cpu.state.low(RCX) >>> 0;
  if (!cpu.controls.nativeMsrReads.has(number)) throw cpu.exitFor(ExitReason.Rdmsr, instruction);
  if (!readMsr(cpu, number)) throw generalProtection(0);
  cpu.state.set(RAX, cpu.dataLow, 0);
  cpu.state.set(RDX, cpu.dataHigh, 0);
}

function write(cpu: Processor, instruction: Instruction): void {
  requireSupervisor(cpu);
  const number = cpu.state.low(RCX) >>> 0;
  if (!cpu.controls.nativeMsrWrites.has(number)) throw cpu.exitFor(ExitReason.Wrmsr, instruction);
  if (!writeMsr(cpu, number, cpu.state.low(RAX), cpu.state.low(RDX))) throw generalProtection(0);
}

export const msrOperations: OperationTable = { RDMSR: { host: read }, WRMSR: { host: write } };
