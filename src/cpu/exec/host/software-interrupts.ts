/** INT3, INT n, INTO, INT1: events that the program asks for. */
import type { Instruction } from '../../../isa/instruction.ts';
import { EventType, Rflags, Vector } from '../../architecture.ts';
import { deliverEvent } from '../../events.ts';
import type { Processor } from '../../processor.ts';
import { S } from '../../state.ts';
import type { Operation, OperationTable } from '../sem.ts';

/** Delivery starts from the instruction itself and returns behind it. */
function event(type: number, vectorOf: (instruction: Instruction) => number, wanted?: (cpu: Processor) => boolean): Operation {
  return {
    host: (cpu, instruction) => {
      if (wanted?.(cpu) === false) return;
      const { state } = cpu;
      const next = state.low(S.rip);
      const low = (next - instruction.length) | 0;
      state.set(S.rip, low, (state.high(S.rip) - ((low >>> 0) > (next >>> 0) ? 1 : 0)) | 0);
      deliverEvent(cpu, vectorOf(instruction), type, undefined, instruction.length);
    },
    endsBlock: true,
  };
}

export const softwareInterruptOperations: OperationTable = {
  INT3: event(EventType.SoftwareException, () => Vector.Breakpoint),
  INTO: event(EventType.SoftwareException, () => Vector.Overflow, (cpu) => (cpu.readRflags() & Rflags.Of) !== 0),
  INT1: event(EventType.PrivilegedSoftwareException, () => Vector.Debug),
  INT: event(EventType.SoftwareInterrupt, (instruction) => instruction.immediateLow & 0xff),
};
