import { CompletionCode, Gpr, levelBytes, OperandId, TdhLeaf } from '../../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import { PageType } from '../pamt.ts';
import { Lifecycle } from '../structures/td.ts';
import { leafSource, type SystemRow } from './row.ts';

/** Takes a page of a torn-down TD back; the TDR goes last. */
export const tdhPhymemPageReclaim: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.PHYMEM_PAGE_RECLAIM,
  name: 'TDH.PHYMEM.PAGE.RECLAIM',
  operands: 'in: RCX = page HPA; out: RCX = page type, RDX = owner TDR HPA, R8 = level',
  source: leafSource('TDH.PHYMEM.PAGE.RECLAIM'),
  run(core, registers) {
    const hpa = registers.number(Gpr.RCX);
    for (const register of [Gpr.RCX, Gpr.RDX, Gpr.R8, Gpr.R9, Gpr.R10, Gpr.R11]) registers.setNumber(register, 0);
    if (hpa % PAGE_SIZE_BYTES !== 0) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RCX);
    if (!core.memory.isRam(hpa, PAGE_SIZE_BYTES))
      return core.fail(CompletionCode.OPERAND_ADDR_RANGE_ERROR, OperandId.RCX);
    const type = core.pamt.typeOf(hpa);
    if (type === PageType.NDA) return core.fail(CompletionCode.PAGE_METADATA_INCORRECT, OperandId.RCX);
    const level = core.pamt.levelOf(hpa);
    const owner = core.pamt.ownerOf(hpa);
    registers.setNumber(Gpr.RCX, type);
    registers.setNumber(Gpr.RDX, type === PageType.TDR ? 0 : owner);
    registers.setNumber(Gpr.R8, level);
    if (hpa % levelBytes(level) !== 0) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RCX);
    const td = core.tds.get(owner)!;
    if (td.lifecycle !== Lifecycle.TEARDOWN) return core.fail(CompletionCode.LIFECYCLE_STATE_INCORRECT);
    if (type === PageType.TDR) {
      if (td.childCount > 0) return core.fail(CompletionCode.TD_ASSOCIATED_PAGES_EXIST);
      core.tds.delete(hpa);
    } else {
      td.childCount -= levelBytes(level) / PAGE_SIZE_BYTES;
      if (type === PageType.TDVPR) core.vcpus.delete(hpa);
    }
    core.pamt.free(hpa, level);
    return CompletionCode.SUCCESS;
  },
};
