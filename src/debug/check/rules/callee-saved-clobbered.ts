import type { CheckRule } from '../events.ts';
import { PSABI } from './documents.ts';
import { registerList } from './words.ts';

export const calleeSavedClobbered: CheckRule = {
  id: 'callee-saved-clobbered',
  severity: 'error',
  title: 'A helper does not restore a callee-saved register',
  source: { document: PSABI, section: 'Register Usage' },
  explanation:
    'RBX, RBP and R12 to R15 belong to the caller. TDG.VP.VMCALL has operands in four of them, so a helper must save and restore them; what the caller finds there otherwise was written by the host.',
  remedy: 'Push the registers before the call and pop them after it, in the opposite order.',
  watch: (report) => ({
    returned({ at, whole, crossings }) {
      if (whole === undefined || whole.clobbered.length === 0) return;
      const crossing = crossings.at(-1);
      report({
        at,
        ...(crossing === undefined ? {} : { crossing }),
        registers: whole.clobbered,
        message: `The helper returned with other values in ${registerList(whole.clobbered)} than it was called with.`,
      });
    },
  }),
};
