import { CompletionCode, Gpr, levelBytes, OperandId, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import { SEPT_STATES, SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { leafSource, type TdRow } from './row.ts';

/** Takes a page from a TD. A TD that may run must have the page blocked and its translations tracked first. */
export const tdhMemPageRemove: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_PAGE_REMOVE,
  name: 'TDH.MEM.PAGE.REMOVE',
  operands:
    'in: RCX = GPA | level, RDX = TDR HPA; out: RCX = HPA of the removed page, or RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.PAGE.REMOVE'),
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_4K, PageLevel.PAGE_1G);
    registers.setNumber(Gpr.RCX, 0);
    registers.setNumber(Gpr.RDX, 0);
    if (gpa < 0) return core.code;
    const sept = configuration.secureEpt;
    const next = core.septOperand(registers, sept, gpa, SeptOperation.MEM_PAGE_REMOVE);
    if (next < 0) return core.code;
    const { hpa, level } = sept;
    if (td.opState === OpState.RUNNABLE) {
      if (!SEPT_STATES[sept.state]!.blocked) {
        core.describeEntry(registers, sept);
        return core.fail(CompletionCode.GPA_RANGE_NOT_BLOCKED, OperandId.RCX);
      }
      if (core.pamt.blockEpochOf(hpa) >= td.epoch)
        return core.fail(CompletionCode.TLB_TRACKING_NOT_DONE, OperandId.RCX);
    }
    sept.setState(gpa, next);
    core.pamt.free(hpa, level);
    td.childCount -= levelBytes(level) / PAGE_SIZE_BYTES;
    registers.setNumber(Gpr.RCX, hpa);
    return CompletionCode.SUCCESS;
  },
};
