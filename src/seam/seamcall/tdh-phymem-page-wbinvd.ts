import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { KEY_ID_SHIFT } from '../key-ownership.ts';
import { PageType } from '../pamt.ts';
import { leafSource, type SystemRow } from './row.ts';

const KEY_ID_HIGH = 0xf_ffff & ~((1 << (KEY_ID_SHIFT - 32)) - 1);

/** Writes back and invalidates the cache lines of a page that is nobody's: there is no cache, so only the operand is checked. */
export const tdhPhymemPageWbinvd: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.PHYMEM_PAGE_WBINVD,
  name: 'TDH.PHYMEM.PAGE.WBINVD',
  operands: 'in: RCX = page HPA, any key id in it',
  source: leafSource('TDH.PHYMEM.PAGE.WBINVD'),
  run(core, registers) {
    const named = registers.high(Gpr.RCX);
    registers.set(Gpr.RCX, registers.low(Gpr.RCX), named & ~KEY_ID_HIGH);
    const hpa = core.pageOperand(registers, Gpr.RCX, PageType.NDA);
    registers.set(Gpr.RCX, registers.low(Gpr.RCX), named);
    return hpa < 0 ? core.code : CompletionCode.SUCCESS;
  },
};
