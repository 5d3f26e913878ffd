import { CompletionCode, Gpr, TdgLeaf } from '../../../abi/index.ts';
import { hex } from '../../../bits/index.ts';
import type { CheckRule } from '../events.ts';
import { BASE } from './documents.ts';

const PAGE_BYTES = 4096;

export const pageAcceptedTwice: CheckRule = {
  id: 'page-accepted-twice',
  severity: 'error',
  title: 'A page is accepted that is accepted already',
  source: { document: BASE, section: 'Dynamic Page Addition' },
  explanation:
    'A guest must know which pages it has accepted. If it accepts a page again "to be sure", a host that has taken the page away in between gives an empty one, the guest accepts that, and goes on with zeroes where its data were: its own call has hidden the attack. The module answers TDX_PAGE_ALREADY_ACCEPTED where nobody attacks.',
  remedy: 'Keep account of what has been accepted (Linux: the bitmap of unaccepted memory), and accept each page once.',
  watch: (report) => ({
    moduleCall({ at, crossing, leaf, given, code }) {
      if (leaf !== TdgLeaf.MEM_PAGE_ACCEPT || code !== CompletionCode.PAGE_ALREADY_ACCEPTED) return;
      const rcx = given.number(Gpr.RCX);
      const gpa = rcx - (rcx % PAGE_BYTES);
      report({ at, crossing, gpa, message: `Page ${hex(gpa)} was accepted again.` });
    },
  }),
};
