/** RDTSC, RDTSCP, RDPID, RDRAND, RDSEED: time and chance, both given by the run's configuration. */
import type { Instruction } from '../../../isa/instruction.ts';
import { Cr4, Rflags } from '../../architecture.ts';
import { Gpr } from '../../gpr.ts';
import type { Processor } from '../../processor.ts';
import { generalProtection } from '../../segments.ts';
import { S } from '../../state.ts';
import type { OperationTable } from '../sem.ts';
import { writeOperand } from './operand.ts';

const ARITHMETIC = Rflags.Cf | Rflags.Pf | Rflags.Af | Rflags.Zf | Rflags.Sf | Rflags.Of;

function readTsc(cpu: Processor): void {
  const { state } = cpu;
  if (state.low(S.cpl) !== 0 && (state.low(S.cr4) & Cr4.Tsd) !== 0) throw generalProtection(0);
  cpu.readTsc();
  state.set(S.gpr + Gpr.Rax * 8, cpu.dataLow, 0);
  state.set(S.gpr + Gpr.Rdx * 8, cpu.dataHigh, 0);
}

function readTscAndProcessor(cpu: Processor): void {
  readTsc(cpu);
  cpu.state.set(S.gpr + Gpr.Rcx * 8, cpu.state.low(S.tscAux), 0);
}

function readProcessor(cpu: Processor, instruction: Instruction): void {
  writeOperand(cpu, instruction, 0, cpu.state.low(S.tscAux), 0);
}

function random(cpu: Processor, instruction: Instruction): void {
  writeOperand(cpu, instruction, 0, cpu.entropy.next32() | 0, cpu.entropy.next32() | 0);
  cpu.writeRflags((cpu.readRflags() & ~ARITHMETIC) | Rflags.Cf);
}

export const timeAndEntropyOperations: OperationTable = {
  RDTSC: { host: readTsc },
  RDTSCP: { host: readTscAndProcessor },
  RDPID: { host: readProcessor },
  RDRAND: { host: random },
  RDSEED: { host: random },
};
