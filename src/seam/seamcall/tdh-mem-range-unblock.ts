import { CompletionCode, Gpr, OperandId, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { ENTRY_OUTPUTS, leafSource, type TdRow } from './row.ts';

/** Undoes TDH.MEM.RANGE.BLOCK once translations were tracked. */
export const tdhMemRangeUnblock: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_RANGE_UNBLOCK,
  name: 'TDH.MEM.RANGE.UNBLOCK',
  operands: 'in: RCX = GPA | level, RDX = TDR HPA; out: RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.RANGE.UNBLOCK'),
  outputs: ENTRY_OUTPUTS,
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const sept = configuration.secureEpt;
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_4K, sept.root.level);
    registers.zero(ENTRY_OUTPUTS);
    if (gpa < 0) return core.code;
    const next = core.septOperand(registers, sept, gpa, SeptOperation.MEM_RANGE_UNBLOCK);
    if (next < 0) return core.code;
    if (td.opState === OpState.RUNNABLE && !core.isTracked(td, sept))
      return core.fail(CompletionCode.TLB_TRACKING_NOT_DONE, OperandId.SEPT_TREE);
    sept.setState(gpa, next);
    return CompletionCode.SUCCESS;
  },
};
