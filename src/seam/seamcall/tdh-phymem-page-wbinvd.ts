import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import { leafSource, type SystemRow } from './row.ts';

/** Writes back and invalidates the cache lines of a page: there is no cache, so only the operand is checked. */
export const tdhPhymemPageWbinvd: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.PHYMEM_PAGE_WBINVD,
  name: 'TDH.PHYMEM.PAGE.WBINVD',
  operands: 'in: RCX = page HPA with its key id in the upper address bits',
  source: leafSource('TDH.PHYMEM.PAGE.WBINVD'),
  run(core, registers) {
    const hpa = registers.low(Gpr.RCX);
    if (hpa % PAGE_SIZE_BYTES !== 0) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RCX);
    return core.memory.isRam(hpa, PAGE_SIZE_BYTES)
      ? CompletionCode.SUCCESS
      : core.fail(CompletionCode.OPERAND_ADDR_RANGE_ERROR, OperandId.RCX);
  },
};
