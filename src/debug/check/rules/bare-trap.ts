import type { CheckRule } from '../events.ts';
import { LINUX_TDCALL } from './documents.ts';

export const bareTrap: CheckRule = {
  id: 'bare-trap',
  severity: 'error',
  title: 'A failure of the mechanism ends in a bare trap, without a message',
  source: { document: LINUX_TDCALL, section: '__tdx_hypercall_failed()' },
  explanation:
    'Where TDG.VP.VMCALL itself fails the guest has to stop. If it stops with UD2, HLT or a loop in the helper, all that anybody sees is an invalid opcode somewhere, or nothing: not that the TDX module refused a call, which is the one thing that whoever reads the log should learn. Linux calls a function that panics and asks whether the module has a bug.',
  remedy: 'Call a function that says what has failed, and then stops.',
  watch: (report) => ({
    trapped({ at, crossing, mnemonic }) {
      report({
        at,
        crossing,
        registers: ['rax'],
        message: `${crossing.name} failed with ${crossing.status}, and the guest stops in ${mnemonic} without a word.`,
      });
    },
  }),
};
