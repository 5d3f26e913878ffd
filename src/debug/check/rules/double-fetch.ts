import type { CheckRule } from '../events.ts';
import { ADVICE } from './documents.ts';
import { USE_TEXT } from './words.ts';

export const doubleFetch: CheckRule = {
  id: 'double-fetch',
  severity: 'error',
  title: 'Shared memory is read twice: looked at the first time, used the second',
  source: { document: ADVICE, section: 'VirtIO and shared memory' },
  explanation:
    'The host may write shared memory at any moment, also between two instructions of the guest. A value that was compared when it was read is another one when it is read again: the check was of no use. Compilers read again where a source does not forbid it.',
  remedy: 'Read the field once into private memory or a register (READ_ONCE), and check and use that.',
  watch: (report) => ({
    used({ at, origin, how }) {
      const { earlier, linear } = origin;
      if (earlier === undefined) return;
      report({
        at,
        message: `Shared memory at 0x${linear!.toString(16)} was looked at when it was read at 0x${earlier.at.rip.toString(16)}, and read again at 0x${origin.at.rip.toString(16)}: that second value ${USE_TEXT[how]}.`,
      });
    },
  }),
};
