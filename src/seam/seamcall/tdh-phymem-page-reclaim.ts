import { CompletionCode, levelBytes, OperandId, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { PageType } from '../pamt.ts';
import { Lifecycle } from '../structures/td.ts';
import { METADATA_OUTPUTS, metadataOperand, showMetadata } from './metadata-page.ts';
import { leafSource, type SystemRow } from './row.ts';

/** Takes a page of a torn-down TD back; the TDR goes last. */
export const tdhPhymemPageReclaim: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.PHYMEM_PAGE_RECLAIM,
  name: 'TDH.PHYMEM.PAGE.RECLAIM',
  operands: 'in: RCX = page HPA; out: RCX = page type, RDX = owner TDR HPA, R8 = level',
  source: leafSource('TDH.PHYMEM.PAGE.RECLAIM'),
  outputs: METADATA_OUTPUTS,
  run(core, registers) {
    const page = metadataOperand(core, registers);
    if (page === undefined) return core.code;
    const { hpa, type, owner, level } = page;
    if (type === PageType.NDA || type === PageType.RSVD)
      return core.fail(CompletionCode.PAGE_METADATA_INCORRECT, OperandId.RCX);
    showMetadata(registers, page);
    if (hpa % levelBytes(level) !== 0) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RCX);
    const td = core.tds.get(owner)!;
    if (td.lifecycle !== Lifecycle.TEARDOWN) return core.fail(CompletionCode.LIFECYCLE_STATE_INCORRECT);
    if (type === PageType.TDR) {
      if (td.childCount > 0) return core.fail(CompletionCode.TD_ASSOCIATED_PAGES_EXIST);
      core.tds.delete(hpa);
      core.pamt.free(hpa, PageLevel.PAGE_4K);
    } else {
      if (type === PageType.TDVPR) core.vcpus.delete(hpa);
      core.releasePages(td, hpa, level);
    }
    return CompletionCode.SUCCESS;
  },
};
