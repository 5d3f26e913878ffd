import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { leafSource, type SystemRow } from './row.ts';

const RESUME = 1;

/** Writes back the cache lines of flushed keys. It is never interrupted, so there is nothing to resume. */
export const tdhPhymemCacheWb: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.PHYMEM_CACHE_WB,
  name: 'TDH.PHYMEM.CACHE.WB',
  operands: 'in: RCX = 0 start, 1 resume',
  source: leafSource('TDH.PHYMEM.CACHE.WB'),
  run(core, registers) {
    const command = registers.number(Gpr.RCX);
    if (command > RESUME) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RCX);
    if (command === RESUME) return core.fail(CompletionCode.WBCACHE_RESUME_ERROR);
    return core.keys.writeBackCaches() === 0
      ? core.fail(CompletionCode.NO_HKID_READY_TO_WBCACHE)
      : CompletionCode.SUCCESS;
  },
};
