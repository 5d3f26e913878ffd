import { CompletionCode, Gpr, levelBytes, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import { PageType } from '../pamt.ts';
import { SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { leafSource, type TdRow } from './row.ts';

/** Gives a page to a TD; the TD must accept it before it can use it. */
export const tdhMemPageAug: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_PAGE_AUG,
  name: 'TDH.MEM.PAGE.AUG',
  operands: 'in: RCX = GPA | level 0 or 1, RDX = TDR HPA, R8 = page HPA; out: RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.PAGE.AUG'),
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_4K, PageLevel.PAGE_2M);
    registers.setNumber(Gpr.RCX, 0);
    registers.setNumber(Gpr.RDX, 0);
    if (gpa < 0) return core.code;
    const sept = configuration.secureEpt;
    const state = core.septOperand(registers, sept, gpa, SeptOperation.MEM_PAGE_AUG);
    if (state < 0) return core.code;
    const bytes = levelBytes(core.pageLevel);
    const hpa = core.pageOperand(registers, Gpr.R8, PageType.NDA, bytes);
    if (hpa < 0) return core.code;
    core.assign(hpa, core.pageLevel, PageType.REG, td);
    td.childCount += bytes / PAGE_SIZE_BYTES;
    sept.setLeaf(gpa, hpa, state);
    return CompletionCode.SUCCESS;
  },
};
