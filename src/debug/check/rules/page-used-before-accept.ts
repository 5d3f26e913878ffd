import { hex } from '../../../bits/index.ts';
import { ExitReason } from '../../../cpu/index.ts';
import type { CheckRule, ExitEvent } from '../events.ts';
import { ABI } from './documents.ts';

const PAGE_BYTES = 4096;

export const pageUsedBeforeAccept: CheckRule = {
  id: 'page-used-before-accept',
  severity: 'error',
  title: 'Private memory is used before it was accepted',
  source: { document: ABI, section: 'TDG.MEM.PAGE.ACCEPT Leaf' },
  explanation:
    'A private page that the host adds while the TD runs is pending until the guest accepts it with TDG.MEM.PAGE.ACCEPT, which zeroes it. Before that an access leaves the TD, or is #VE where SEPT_VE_DISABLE is 0. A guest that repairs this in its #VE handler lets the host take a page away and give an empty one back at any moment.',
  remedy: 'Accept every page of RAM that the loader did not add, before its first use.',
  watch(report) {
    /** first address of each pending leaf, and its length */
    const pending = new Map<number, number>();
    const isPending = (gpa: number): boolean =>
      [PAGE_BYTES, 512 * PAGE_BYTES, 512 * 512 * PAGE_BYTES].some(
        (bytes) => pending.get(gpa - (gpa % bytes)) === bytes,
      );
    const used = ({ at, crossing, reason, gpa, isShared, inModuleCall }: ExitEvent): void => {
      if (reason !== ExitReason.EptViolation || isShared || inModuleCall || !isPending(gpa)) return;
      report({
        at,
        crossing,
        gpa,
        message: `Private page ${hex(gpa - (gpa % PAGE_BYTES))} was used at ${hex(gpa)} before it was accepted.`,
      });
    };
    return {
      page({ gpa, bytes, isPending: now }) {
        if (now) pending.set(gpa, bytes);
        else pending.delete(gpa);
      },
      virtualizationException: used,
      tdExit: used,
    };
  },
};
