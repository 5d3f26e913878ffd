import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { PageType } from '../pamt.ts';
import { Lifecycle, OpState, TDCS_PAGES_MAX } from '../structures/td.ts';
import { type KeyRow, leafSource } from './row.ts';

/** Adds a page for the TD's control structure. */
export const tdhMngAddcx: KeyRow = {
  scope: 'key',
  leaf: TdhLeaf.MNG_ADDCX,
  name: 'TDH.MNG.ADDCX',
  operands: 'in: RCX = TDCX page HPA, RDX = TDR HPA',
  source: leafSource('TDH.MNG.ADDCX'),
  tdr: Gpr.RDX,
  run(core, registers, td) {
    if (td.fatal) return core.fail(CompletionCode.TD_FATAL);
    if (td.lifecycle !== Lifecycle.KEYS_CONFIGURED) return core.fail(CompletionCode.TD_KEYS_NOT_CONFIGURED);
    if (td.tdcxPages >= TDCS_PAGES_MAX) return core.fail(CompletionCode.TDCX_NUM_INCORRECT);
    if (core.pageOperand(registers, Gpr.RCX, PageType.NDA) < 0) return core.code;
    if (td.opState !== OpState.UNINITIALIZED) return core.fail(CompletionCode.OP_STATE_INCORRECT);
    core.zeroPages(core.takePage(registers, Gpr.RCX, td, PageType.TDCX), 1);
    td.tdcxPages++;
    return CompletionCode.SUCCESS;
  },
};
