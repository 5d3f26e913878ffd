import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { leafSource, type SystemRow } from './row.ts';

/** Prepares the next piece of a TDMR; pages can be used from the first whole GiB on. */
export const tdhSysTdmrInit: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SYS_TDMR_INIT,
  name: 'TDH.SYS.TDMR.INIT',
  operands: 'in: RCX = base of a TDMR; out: RDX = address below which it is ready, in whole GiB',
  source: leafSource('TDH.SYS.TDMR.INIT'),
  outputs: [Gpr.RDX],
  run(core, registers) {
    const base = registers.number(Gpr.RCX);
    registers.set(Gpr.RDX, 0, 0);
    const tdmr = core.tdmrs.find((each) => each.base === base);
    if (tdmr === undefined) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RCX);
    if (!tdmr.prepare()) return core.fail(CompletionCode.TDMR_ALREADY_INITIALIZED);
    if (tdmr.isPrepared) for (const area of tdmr.reserved) core.pamt.reserve(area.base, area.size);
    registers.setNumber(Gpr.RDX, tdmr.usableEnd);
    return CompletionCode.SUCCESS;
  },
};
