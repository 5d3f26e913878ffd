import { CompletionCode, Gpr, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { PageType } from '../pamt.ts';
import { SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { leafSource, type TdRow } from './row.ts';

/** Adds a Secure EPT table under a free entry. */
export const tdhMemSeptAdd: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_SEPT_ADD,
  name: 'TDH.MEM.SEPT.ADD',
  operands:
    'in: RCX = GPA | level of the parent entry, RDX = TDR HPA, R8 = table page HPA; out: RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.SEPT.ADD'),
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const sept = configuration.secureEpt;
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_2M, sept.root.level);
    registers.setNumber(Gpr.RCX, 0);
    registers.setNumber(Gpr.RDX, 0);
    if (gpa < 0) return core.code;
    if (core.septOperand(registers, sept, gpa, SeptOperation.MEM_SEPT_ADD) < 0) return core.code;
    const hpa = core.takePage(registers, Gpr.R8, td, PageType.EPT);
    if (hpa < 0) return core.code;
    core.pageReplaced(hpa);
    sept.setTable(hpa);
    return CompletionCode.SUCCESS;
  },
};
