import type { CheckRule } from '../events.ts';
import { PSABI } from './documents.ts';

export const stackUnbalanced: CheckRule = {
  id: 'stack-unbalanced',
  severity: 'error',
  title: 'A helper returns with another stack pointer than it was called with',
  source: { document: PSABI, section: 'The Stack Frame' },
  explanation:
    'At RET the stack pointer must be where it was at the entry. A push too many on one of the ways through a helper, often that of a failure which no test takes, makes it return to a saved register: to an address that the host may have written.',
  remedy: 'Let all ways through the helper meet before the pops, or repeat them on each.',
  watch: (report) => ({
    returned({ at, whole, crossings }) {
      if (whole === undefined || whole.stackOffBytes === 0n) return;
      const crossing = crossings.at(-1);
      report({
        at,
        ...(crossing === undefined ? {} : { crossing }),
        registers: ['rsp'],
        message: `The helper returned with RSP ${whole.stackOffBytes} bytes from where it should be.`,
      });
    },
  }),
};
