import { Rflags } from '../../../isa/index.ts';
import type { CheckRule } from '../events.ts';
import { PSABI } from './documents.ts';

const HLT = 'Instruction.HLT';

export const flagsNotRestored: CheckRule = {
  id: 'flags-not-restored',
  severity: 'error',
  title: 'A helper returns with the direction flag set, or with another interrupt flag',
  source: { document: PSABI, section: 'Register Usage' },
  explanation:
    "The direction flag is clear at every call and return. The interrupt flag is the caller's: a helper that enables interrupts behind its back opens a critical section, one that disables them stops the guest much later. Only a helper that waits with Instruction.HLT may return with interrupts enabled, because that is how it waits.",
  remedy: 'CLD where STD was used; save RFLAGS and restore it where interrupts had to change.',
  watch: (report) => ({
    returned({ at, whole, crossings }) {
      if (whole === undefined) return;
      const { rflagsBefore, rflagsAfter } = whole;
      const crossing = crossings.at(-1);
      const told = { at, ...(crossing === undefined ? {} : { crossing }) };
      if ((rflagsAfter & Rflags.DF) !== 0)
        report({ ...told, message: 'The helper returned with the direction flag set.' });
      const halted = crossings.some(({ name }) => name === HLT);
      if (((rflagsBefore ^ rflagsAfter) & Rflags.IF) === 0 || halted) return;
      const now = (rflagsAfter & Rflags.IF) !== 0 ? 'enabled' : 'disabled';
      report({
        ...told,
        message: `The helper returned with interrupts ${now}, which they were not when it was called.`,
      });
    },
  }),
};
