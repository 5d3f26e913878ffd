import { CompletionCode, Gpr, OperandId, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { PageType } from '../pamt.ts';
import { SEPT_STATES, SeptOperation, SeptState } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { leafSource, type TdRow } from './row.ts';

/** Splits a 2 MiB page into 512 pages of 4 KiB. A TD that may run must have it blocked and tracked first. */
export const tdhMemPageDemote: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_PAGE_DEMOTE,
  name: 'TDH.MEM.PAGE.DEMOTE',
  operands:
    'in: RCX = GPA | level 1, RDX = TDR HPA, R8 = table page HPA; out: RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.PAGE.DEMOTE'),
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const sept = configuration.secureEpt;
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_2M, PageLevel.PAGE_2M);
    registers.setNumber(Gpr.RCX, 0);
    registers.setNumber(Gpr.RDX, 0);
    if (gpa < 0) return core.code;
    if (core.septOperand(registers, sept, gpa, SeptOperation.MEM_PAGE_DEMOTE) < 0) return core.code;
    const row = SEPT_STATES[sept.state]!;
    const { hpa } = sept;
    if (td.opState === OpState.RUNNABLE) {
      if (!row.blocked) {
        core.describeEntry(registers, sept);
        return core.fail(CompletionCode.GPA_RANGE_NOT_BLOCKED, OperandId.RCX);
      }
      if (core.pamt.blockEpochOf(hpa) >= td.epoch)
        return core.fail(CompletionCode.TLB_TRACKING_NOT_DONE, OperandId.RCX);
    }
    const table = core.takePage(registers, Gpr.R8, td, PageType.EPT);
    if (table < 0) return core.code;
    core.pageReplaced(table);
    sept.demote(gpa, table, row.pending ? SeptState.PENDING : SeptState.MAPPED);
    core.pamt.setLevel(hpa, 0);
    return CompletionCode.SUCCESS;
  },
};
