import { Gpr, TdvmcallLeaf } from '../../../abi/index.ts';
import { hex } from '../../../bits/index.ts';
import { ExitReason } from '../../../cpu/index.ts';
import { gprName } from '../../../isa/index.ts';
import type { CheckRule, ExitEvent } from '../events.ts';
import { Conversions } from './conversions.ts';
import { GHCI } from './documents.ts';

/** Operands of sub-functions that are addresses of shared memory. Source: GHCI 1.5, the section of each. */
const SHARED_OPERANDS: Readonly<Record<number, readonly Gpr[]>> = {
  [TdvmcallLeaf.GET_QUOTE]: [Gpr.R12],
  [TdvmcallLeaf.SERVICE]: [Gpr.R12, Gpr.R13],
};

export const privatePageUsedAsShared: CheckRule = {
  id: 'private-page-used-as-shared',
  severity: 'error',
  title: 'A page that is private is used, or given to the host, as shared memory',
  source: { document: GHCI, section: 'TDG.VP.VMCALL<MapGPA>' },
  explanation:
    "RAM is private until MapGPA has made it shared. With the shared bit set its address means another page, the host's: what the guest writes there is readable, and not what it finds by the private address. A buffer for the host that lacks the shared bit, or was never converted, cannot be reached by an honest host, and tells that the guest does not know which of its pages are shared.",
  remedy: 'Convert the pages with MapGPA first, and give the host their address with the shared bit.',
  watch(report, td) {
    const conversions = new Conversions(td);
    const used = ({ at, crossing, reason, gpa, isShared }: ExitEvent): void => {
      if (reason !== ExitReason.EptViolation || !isShared || !td.isRam(gpa) || conversions.isShared(gpa)) return;
      report({
        at,
        crossing,
        gpa,
        message: `Shared address ${hex(gpa)} was used, but that page of RAM was never made shared.`,
      });
    };
    return {
      vmmAnswer: (event) => conversions.answered(event),
      virtualizationException: used,
      tdExit: used,
      vmmCall({ at, crossing, leaf, given }) {
        for (const register of leaf === undefined ? [] : (SHARED_OPERANDS[leaf] ?? [])) {
          const { address, isShared } = td.splitGpa(given.number(register));
          if (isShared && conversions.isShared(address)) continue;
          const name = gprName(register, 64);
          const why = isShared ? 'a page that was never made shared' : 'a private address';
          report({
            at,
            crossing,
            gpa: address,
            registers: [name],
            message: `${crossing.name} was given ${hex(address)} in ${name.toUpperCase()}, ${why}.`,
          });
        }
      },
    };
  },
};
