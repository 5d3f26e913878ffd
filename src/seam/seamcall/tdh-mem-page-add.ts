import { CompletionCode, Gpr, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import { PageType } from '../pamt.ts';
import { SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { ENTRY_OUTPUTS, leafSource, type TdRow } from './row.ts';

/** Copies a page into the TD before it runs; its address enters MRTD. */
export const tdhMemPageAdd: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_PAGE_ADD,
  name: 'TDH.MEM.PAGE.ADD',
  operands:
    'in: RCX = GPA | level 0, RDX = TDR HPA, R8 = target page HPA, R9 = source page HPA; out: RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.PAGE.ADD'),
  outputs: ENTRY_OUTPUTS,
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED],
  run(core, registers, td, configuration) {
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_4K, PageLevel.PAGE_4K);
    registers.zero(ENTRY_OUTPUTS);
    if (gpa < 0) return core.code;
    const sept = configuration.secureEpt;
    const state = core.septOperand(registers, sept, gpa, SeptOperation.MEM_PAGE_ADD);
    if (state < 0) return core.code;
    const source = core.sharedOperand(registers, Gpr.R9, PAGE_SIZE_BYTES, PAGE_SIZE_BYTES);
    if (source < 0) return core.code;
    const target = core.takePage(registers, Gpr.R8, td, PageType.REG);
    if (target < 0) return core.code;
    core.copyPage(source, target);
    sept.setLeaf(gpa, target, state);
    configuration.mrtd.addPage(gpa);
    return CompletionCode.SUCCESS;
  },
};
