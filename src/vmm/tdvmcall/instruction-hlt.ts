/** Instruction.HLT: the vCPU waits for an event. R12 = 1: its interrupts are blocked. */
import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

/**
 * A pending interrupt is enough to go on, deliverable or not: an idle guest says "not blocked" with RFLAGS.IF = 0 and
 * sets IF only after the call.
 */
export const instructionHlt: TdvmcallRow = {
  leaf: TdvmcallLeaf.INSTRUCTION_HLT,
  section: 'TDG.VP.VMCALL<Instruction.HLT>',
  serve({ registers, vcpu, td }: Tdvmcall): TdvmcallStatus {
    vcpu.haltedInterruptsBlocked = registers.u64[Gpr.R12] !== 0n;
    vcpu.halted = vcpu.haltedInterruptsBlocked || !td.hasPendingInterrupt(vcpu);
    return TdvmcallStatus.SUCCESS;
  },
};
