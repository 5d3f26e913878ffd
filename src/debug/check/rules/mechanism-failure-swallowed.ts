import type { CheckRule } from '../events.ts';
import { ABI } from './documents.ts';

export const mechanismFailureSwallowed: CheckRule = {
  id: 'mechanism-failure-swallowed',
  severity: 'error',
  title: 'The mechanism has failed, and the helper returns success',
  source: { document: ABI, section: 'TDG.VP.VMCALL Leaf' },
  explanation:
    'If TDG.VP.VMCALL fails, the call has not happened: wrong use of the interface, or a broken module. No caller can go on from there, and least of all one that is told 0. A helper returns the status of the mechanism itself, or an error, or does not return.',
  remedy: 'Return another value than 0, or stop the guest with a message, where RAX is not 0.',
  watch: (report) => ({
    returned({ at, failure, rax, returnsMechanismStatus }) {
      // where nobody has looked at it there is a rule of its own
      if (failure?.isChecked !== true || rax !== 0n || returnsMechanismStatus) return;
      const { crossing } = failure;
      report({
        at,
        crossing: crossing!,
        registers: ['rax'],
        message: `${crossing!.name} failed with ${crossing!.status}, and the helper returned 0.`,
      });
    },
  }),
};
