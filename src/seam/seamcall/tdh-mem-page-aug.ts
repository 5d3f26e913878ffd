import { CompletionCode, Gpr, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { PageType } from '../pamt.ts';
import { SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { ENTRY_OUTPUTS, leafSource, type TdRow } from './row.ts';

/** Gives a page to a TD; the TD must accept it before it can use it. */
export const tdhMemPageAug: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_PAGE_AUG,
  name: 'TDH.MEM.PAGE.AUG',
  operands: 'in: RCX = GPA | level 0 or 1, RDX = TDR HPA, R8 = page HPA; out: RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.PAGE.AUG'),
  outputs: ENTRY_OUTPUTS,
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_4K, PageLevel.PAGE_2M);
    registers.zero(ENTRY_OUTPUTS);
    if (gpa < 0) return core.code;
    const sept = configuration.secureEpt;
    const state = core.septOperand(registers, sept, gpa, SeptOperation.MEM_PAGE_AUG);
    if (state < 0) return core.code;
    const hpa = core.takePage(registers, Gpr.R8, td, PageType.REG, core.pageLevel);
    if (hpa < 0) return core.code;
    sept.setLeaf(gpa, hpa, state);
    return CompletionCode.SUCCESS;
  },
};
