import { CompletionCode, Gpr, OperandId, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { SEPT_STATES, SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { leafSource, type TdRow } from './row.ts';

/** Undoes TDH.MEM.RANGE.BLOCK once translations were tracked. */
export const tdhMemRangeUnblock: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_RANGE_UNBLOCK,
  name: 'TDH.MEM.RANGE.UNBLOCK',
  operands: 'in: RCX = GPA | level, RDX = TDR HPA; out: RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.RANGE.UNBLOCK'),
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const sept = configuration.secureEpt;
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_4K, sept.root.level);
    registers.setNumber(Gpr.RCX, 0);
    registers.setNumber(Gpr.RDX, 0);
    if (gpa < 0) return core.code;
    const next = core.septOperand(registers, sept, gpa, SeptOperation.MEM_RANGE_UNBLOCK);
    if (next < 0) {
      if (core.code === CompletionCode.EPT_ENTRY_STATE_INCORRECT && !SEPT_STATES[sept.state]!.blocked)
        return core.fail(CompletionCode.GPA_RANGE_NOT_BLOCKED, OperandId.RCX);
      return core.code;
    }
    if (core.pamt.blockEpochOf(sept.hpa) >= td.epoch)
      return core.fail(CompletionCode.TLB_TRACKING_NOT_DONE, OperandId.RCX);
    sept.setState(gpa, next);
    return CompletionCode.SUCCESS;
  },
};
