import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { PageType } from '../pamt.ts';
import { METADATA_OUTPUTS, metadataOperand, showMetadata } from './metadata-page.ts';
import { leafSource, type SystemRow } from './row.ts';

/** Tells whose a host page is, and what it is to its owner. */
export const tdhPhymemPageRdmd: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.PHYMEM_PAGE_RDMD,
  name: 'TDH.PHYMEM.PAGE.RDMD',
  operands:
    'in: RCX = page HPA; out: RCX = page type, RDX = owner TDR HPA, R8 = level, R9 = TD epoch at which it was blocked (pages and Secure EPT tables)',
  source: leafSource('TDH.PHYMEM.PAGE.RDMD'),
  outputs: METADATA_OUTPUTS,
  run(core, registers) {
    const page = metadataOperand(core, registers);
    if (page === undefined) return core.code;
    showMetadata(registers, page);
    if (page.type === PageType.REG || page.type === PageType.EPT)
      registers.setNumber(Gpr.R9, core.pamt.blockEpochOf(page.hpa));
    return CompletionCode.SUCCESS;
  },
};
