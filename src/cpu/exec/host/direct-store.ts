/** MOVDIR64B: 64 bytes from memory to the aligned place that a register names in ES (SDM Vol. 2). */

import type { Instruction } from '../../../isa/index.ts';
import { addressOf } from '../../effective-address.ts';
import type { Processor } from '../../processor.ts';
import { generalProtection } from '../../segments.ts';
import type { OperationTable } from '../sem.ts';

const BYTES = 64;

function moveLine(cpu: Processor, instruction: Instruction): void {
  const bytes = new Uint8Array(BYTES);
  addressOf(cpu, instruction);
  cpu.loadBytes(cpu.addressLow, cpu.addressHigh, bytes);
  // in ES, whatever the source's segment is
  const target = { ...instruction, base: instruction.operands[0].register, index: -1, segment: 0 };
  addressOf(cpu, { ...target, displacement: 0, displacementHigh: 0 });
  if ((cpu.addressLow & (BYTES - 1)) !== 0) throw generalProtection(0);
  cpu.storeBytes(cpu.addressLow, cpu.addressHigh, bytes);
}

export const directStoreOperations: OperationTable = { MOVDIR64B: { host: moveLine } };
