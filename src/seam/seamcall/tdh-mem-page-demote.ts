import { CompletionCode, Gpr, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { PageType } from '../pamt.ts';
import { SEPT_STATES, SeptOperation, SeptState } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { ENTRY_OUTPUTS, leafSource, type TdRow } from './row.ts';

/** Splits a page of 2 MiB or 1 GiB into 512. A TD that may run must have it blocked and tracked first; the parts are not blocked. */
export const tdhMemPageDemote: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_PAGE_DEMOTE,
  name: 'TDH.MEM.PAGE.DEMOTE',
  operands:
    'in: RCX = GPA | level 1 or 2, RDX = TDR HPA | L2_SEPT_ADD_MODE, R8 = table page HPA; out: RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.PAGE.DEMOTE'),
  outputs: ENTRY_OUTPUTS,
  tdr: Gpr.RDX,
  handleFlags: { low: 1, high: 0 },
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const sept = configuration.secureEpt;
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_2M, PageLevel.PAGE_1G);
    registers.zero(ENTRY_OUTPUTS);
    if (gpa < 0) return core.code;
    if (core.septOperand(registers, sept, gpa, SeptOperation.MEM_PAGE_DEMOTE) < 0) return core.code;
    const code = core.blockedAndTracked(registers, td, sept);
    if (code !== CompletionCode.SUCCESS) return code;
    const table = core.takePage(registers, Gpr.R8, td, PageType.EPT);
    if (table < 0) return core.code;
    core.pageReplaced(table);
    const { hpa, level } = sept;
    sept.demote(gpa, table, SEPT_STATES[sept.state]!.pending ? SeptState.PENDING : SeptState.MAPPED);
    core.pamt.demote(hpa, level);
    return CompletionCode.SUCCESS;
  },
};
