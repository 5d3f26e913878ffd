import { CompletionCode, Gpr, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { ENTRY_OUTPUTS, leafSource, type TdRow } from './row.ts';

/** Takes a page from a TD. A TD that may run must have the page blocked and its translations tracked first. */
export const tdhMemPageRemove: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_PAGE_REMOVE,
  name: 'TDH.MEM.PAGE.REMOVE',
  operands:
    'in: RCX = GPA | level, RDX = TDR HPA; out: RCX = HPA of the removed page, or RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.PAGE.REMOVE'),
  outputs: ENTRY_OUTPUTS,
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_4K, PageLevel.PAGE_1G);
    registers.zero(ENTRY_OUTPUTS);
    if (gpa < 0) return core.code;
    const sept = configuration.secureEpt;
    const next = core.septOperand(registers, sept, gpa, SeptOperation.MEM_PAGE_REMOVE);
    if (next < 0) return core.code;
    const code = core.blockedAndTracked(registers, td, sept);
    if (code !== CompletionCode.SUCCESS) return code;
    const { hpa, level } = sept;
    sept.setState(gpa, next);
    core.releasePages(td, hpa, level);
    registers.setNumber(Gpr.RCX, hpa);
    return CompletionCode.SUCCESS;
  },
};
