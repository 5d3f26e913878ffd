import type { CheckRule } from '../events.ts';
import { ABI } from './documents.ts';

export const mechanismStatusIgnored: CheckRule = {
  id: 'mechanism-status-ignored',
  severity: 'error',
  title: 'RAX is not looked at after leaf 0',
  source: { document: ABI, section: 'TDG.VP.VMCALL Leaf' },
  explanation:
    'RAX after TDG.VP.VMCALL says whether the call has happened at all. If it is not 0, nothing has reached the host, and R10 and the other registers are what they were before: R10 is 0, which reads as success. A guest that looks at R10 only takes its own operands for the answer.',
  remedy: 'Test RAX directly after the TDCALL, and stop with a message where it is not 0.',
  watch: (report) => ({
    lost({ origin }) {
      if (origin.kind !== 'mechanism-status') return;
      const { at, crossing } = origin;
      report({
        at,
        crossing: crossing!,
        registers: ['rax'],
        message: `RAX of ${crossing!.name}, the status of the mechanism, was overwritten before anybody had looked at it.`,
      });
    },
  }),
};
