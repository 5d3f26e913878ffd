import { TdgLeaf } from '../../../abi/index.ts';
import type { CheckRule, ExitEvent } from '../events.ts';
import { BASE } from './documents.ts';

export const veBeforeFetch: CheckRule = {
  id: 've-before-fetch',
  severity: 'error',
  title: '#VE comes while the one before it has not been fetched',
  source: { document: BASE, section: 'Virtualization Exception (#VE)' },
  explanation:
    'The module keeps what one #VE was about until TDG.VP.VEINFO.GET has read it. A second #VE before that becomes a double fault: port I/O, CPUID, MSRs or MMIO in the first instructions of the handler, or a stack on a page that is not accepted, end the guest.',
  remedy: 'Let the handler of #VE call TDG.VP.VEINFO.GET before anything that can be #VE itself.',
  watch(report) {
    const unread: (ExitEvent | undefined)[] = [];
    return {
      virtualizationException(event) {
        const { at, crossing } = event;
        const before = unread[at.vcpu];
        unread[at.vcpu] = event;
        if (before !== undefined)
          report({
            at,
            crossing,
            message: `#VE (${crossing.name}) came before that of ${before.crossing.name} was fetched with TDG.VP.VEINFO.GET.`,
          });
      },
      moduleCall({ at, leaf }) {
        if (leaf === TdgLeaf.VP_VEINFO_GET) unread[at.vcpu] = undefined;
      },
    };
  },
};
