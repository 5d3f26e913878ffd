/** RDRAND and RDSEED: always ready, from the run's seeded stream. */

import { type Instruction, Rflags } from '../../../isa/index.ts';
import type { Processor } from '../../processor.ts';
import type { OperationTable } from '../sem.ts';
import { writeGpr } from './operand.ts';

const ARITHMETIC = Rflags.CF | Rflags.PF | Rflags.AF | Rflags.ZF | Rflags.SF | Rflags.OF;

function random(cpu: Processor, instruction: Instruction): void {
  const low = cpu.entropy.next32();
  const high = instruction.operandSize === 64 ? cpu.entropy.next32() : 0;
  writeGpr(cpu, instruction.operands[0].register, instruction.operandSize, low, high);
  cpu.writeRflags((cpu.readRflags() & ~ARITHMETIC) | Rflags.CF);
}

export const randomOperations: OperationTable = { RDRAND: { host: random }, RDSEED: { host: random } };
