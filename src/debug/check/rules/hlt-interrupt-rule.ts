import { Gpr, TdvmcallLeaf } from '../../../abi/index.ts';
import type { CheckRule } from '../events.ts';
import { GHCI } from './documents.ts';

export const hltInterruptRule: CheckRule = {
  id: 'hlt-interrupt-rule',
  severity: 'warning',
  title: 'Instruction.HLT says something else of interrupts than RFLAGS.IF',
  source: { document: GHCI, section: 'TDG.VP.VMCALL<Instruction.HLT>' },
  explanation:
    'R12 of Instruction.HLT says whether interrupts are blocked: it is 0 only if RFLAGS.IF is 1 or the TDCALL directly follows STI. Where it says "blocked" although they are not, no interrupt wakes the vCPU. Where they were enabled earlier than by the instruction before, an interrupt fits in between: it is served, and then the vCPU sleeps although it has work. Where R12 is 0 while IF is 0, the guest counts on a host that looks at pending interrupts by itself.',
  remedy:
    'Give R12 = 0 with STI directly before TDCALL, or R12 = 1 with interrupts disabled and something other than an interrupt to wake it.',
  watch: (report) => ({
    vmmCall({ at, crossing, leaf, given, interruptsEnabled, afterSti }) {
      if (leaf !== TdvmcallLeaf.INSTRUCTION_HLT) return;
      const saysBlocked = given.big(Gpr.R12) !== 0n;
      const message = saysBlocked
        ? interruptsEnabled
          ? 'R12 says that interrupts are blocked, but RFLAGS.IF is 1: none will wake the vCPU.'
          : undefined
        : !interruptsEnabled
          ? 'R12 says that interrupts are not blocked, but RFLAGS.IF is 0: only a host that looks at pending interrupts wakes the vCPU.'
          : afterSti
            ? undefined
            : 'RFLAGS.IF is 1, but not since the instruction directly before TDCALL: an interrupt that comes in between is served, and the vCPU sleeps nevertheless.';
      if (message !== undefined) report({ at, crossing, registers: ['r12'], message });
    },
  }),
};
