import { Gpr, TdgLeaf } from '../../../abi/index.ts';
import { hex } from '../../../bits/index.ts';
import { ExitReason } from '../../../cpu/index.ts';
import type { CheckRule, ExitEvent } from '../events.ts';
import { Conversions } from './conversions.ts';
import { GHCI } from './documents.ts';

const PAGE_BYTES = 4096;

export const sharedPageUsedAsPrivate: CheckRule = {
  id: 'shared-page-used-as-private',
  severity: 'error',
  title: 'A page that MapGPA made shared is used without its shared bit',
  source: { document: GHCI, section: 'TDG.VP.VMCALL<MapGPA>' },
  explanation:
    "After MapGPA has made a page shared, the guest reaches it by its address with the shared bit. Its private address is nobody's: the access leaves the TD as an EPT violation and a faithful host stops the guest, while a hostile one may put a page there. TDG.MEM.PAGE.ACCEPT of a page that is still shared is the same mistake.",
  remedy:
    'Set the shared bit in every mapping of the page and flush the TLB, or give it back with MapGPA before it is private again.',
  watch(report, td) {
    const conversions = new Conversions(td);
    const used = ({ at, crossing, reason, gpa, isShared, inModuleCall }: ExitEvent): void => {
      if (reason !== ExitReason.EptViolation || isShared || inModuleCall || !conversions.isShared(gpa)) return;
      report({ at, crossing, gpa, message: `Private address ${hex(gpa)} was used, but MapGPA made that page shared.` });
    };
    return {
      vmmAnswer: (event) => conversions.answered(event),
      virtualizationException: used,
      tdExit(event) {
        used(event);
        const { at, crossing, gpa, inModuleCall, reason } = event;
        if (inModuleCall && reason === ExitReason.EptViolation && conversions.isShared(gpa))
          report({ at, crossing, gpa, message: `Page ${hex(gpa)} is given to the module, but MapGPA made it shared.` });
      },
      moduleCall({ at, crossing, leaf, given }) {
        const rcx = given.number(Gpr.RCX);
        const { address, isShared } = td.splitGpa(rcx - (rcx % PAGE_BYTES));
        if (leaf === TdgLeaf.MEM_PAGE_ACCEPT && isShared)
          report({
            at,
            crossing,
            gpa: address,
            message: `Page ${hex(address)} is accepted by its shared address: only private pages are accepted.`,
          });
      },
    };
  },
};
