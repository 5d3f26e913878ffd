/** INT n, INT3, INT1, INTO: events that a program asks for. RIP must name the next instruction when the handler returns. */

import { type Instruction, Rflags, Vector } from '../../../isa/index.ts';
import { EventType } from '../../architecture.ts';
import { deliverEvent } from '../../events.ts';
import type { Processor } from '../../processor.ts';
import { is64Bit } from '../../segments.ts';
import { S } from '../../state.ts';
import type { OperationTable } from '../sem.ts';

/** Delivers with RIP at the instruction's start, where it belongs if delivery faults. */
function interrupt(cpu: Processor, instruction: Instruction, vector: number, type: number): void {
  const { state } = cpu;
  const low = state.low(S.rip);
  const start = (low - instruction.length) | 0;
  const high = is64Bit(cpu) ? state.high(S.rip) - (start >>> 0 > low >>> 0 ? 1 : 0) : 0;
  state.set(S.rip, start, high);
  deliverEvent(cpu, { vector, type, errorCode: undefined, instructionLength: instruction.length });
}

export const softwareInterruptOperations: OperationTable = {
  INT: {
    endsBlock: true,
    host: (cpu, instruction) =>
      interrupt(cpu, instruction, instruction.immediateLow & 0xff, EventType.SoftwareInterrupt),
  },
  INT3: {
    endsBlock: true,
    host: (cpu, instruction) => interrupt(cpu, instruction, Vector.BP, EventType.SoftwareException),
  },
  INT1: {
    endsBlock: true,
    host: (cpu, instruction) => interrupt(cpu, instruction, Vector.DB, EventType.PrivilegedSoftwareException),
  },
  INTO: {
    endsBlock: true,
    host: (cpu, instruction) => {
      if ((cpu.readRflags() & Rflags.OF) !== 0) interrupt(cpu, instruction, Vector.OF, EventType.SoftwareException);
    },
  },
};
