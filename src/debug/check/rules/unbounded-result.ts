import type { CheckRule } from '../events.ts';
import { ADVICE } from './documents.ts';
import { originText, USE_TEXT } from './words.ts';

export const unboundedResult: CheckRule = {
  id: 'unbounded-result',
  severity: 'error',
  title: 'A result of the host is used as length, index or address without a bound',
  source: { document: ADVICE, section: 'TDVMCALL-hypercall-based communication interfaces' },
  explanation:
    'A result of a TDVMCALL, or a field of shared memory, is a number that the host has chosen. Where it becomes the length of a copy, an index or part of an address, and nothing has compared or masked it before, the host reads or writes any memory of the guest.',
  remedy: 'Compare the value with what it may be, or mask it, before the first use; fail where it is not that.',
  watch: (report) => ({
    used({ at, origin, how }) {
      if (!origin.isResult || origin.earlier !== undefined) return;
      report({
        at,
        ...(origin.crossing === undefined ? {} : { crossing: origin.crossing }),
        ...(origin.register === undefined ? {} : { registers: [origin.register] }),
        message: `${capital(originText(origin))}, ${USE_TEXT[how]}, and nothing has bounded it.`,
      });
    },
  }),
};

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
