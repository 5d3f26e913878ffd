import type { CheckRule } from '../events.ts';
import { ADVICE } from './documents.ts';
import { originText, USE_TEXT } from './words.ts';

export const hostRegisterUsed: CheckRule = {
  id: 'host-register-used',
  severity: 'error',
  title: "A register that the host could write is used as if it were the guest's own",
  source: { document: ADVICE, section: 'TDVMCALL-hypercall-based communication interfaces' },
  explanation:
    'After TDG.VP.VMCALL every register that RCX exposed holds what the host wants, also those that the sub-function gives no result in. A guest that takes such a register for what it was before the call, and reaches memory, jumps or sets its stack by it, does what the host says.',
  remedy: 'Save what is needed after the call where the host cannot reach it, and load it again.',
  watch: (report) => ({
    used({ at, origin, how }) {
      if (origin.kind === 'shared-memory' || origin.isResult) return;
      report({
        at,
        crossing: origin.crossing!,
        registers: [origin.register!],
        message: `${originText(origin)}, ${USE_TEXT[how]}: nobody has looked at it.`,
      });
    },
  }),
};
