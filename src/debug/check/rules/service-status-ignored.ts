import type { CheckRule } from '../events.ts';
import { GHCI } from './documents.ts';

export const serviceStatusIgnored: CheckRule = {
  id: 'service-status-ignored',
  severity: 'warning',
  title: 'R10, the status of the service, is not looked at',
  source: { document: GHCI, section: 'TDG.VP.VMCALL Status Codes' },
  explanation:
    'R10 after a TDVMCALL says whether the host has done what it was asked for; RETRY and INVALID_OPERAND are daily life. A guest that does not look at it takes for done what was not: an MSR that was not written, a page that is not shared, a quote that will never come.',
  remedy: 'Look at R10, or return it to a caller that does. Where nothing can be done about a failure, say so there.',
  watch: (report) => ({
    lost({ origin }) {
      if (origin.kind !== 'service-status') return;
      const { at, crossing } = origin;
      report({
        at,
        crossing: crossing!,
        registers: ['r10'],
        message: `R10 of ${crossing!.name} was overwritten, with every copy, before anybody had looked at it.`,
      });
    },
  }),
};
