import { CompletionCode, Gpr, OperandId, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { PageType } from '../pamt.ts';
import { SEPT_STATES, SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { ENTRY_OUTPUTS, leafSource, type TdRow } from './row.ts';

/** Moves a 4 KiB page to another host page, content and all. A TD that may run must have it blocked and tracked first. */
export const tdhMemPageRelocate: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_PAGE_RELOCATE,
  name: 'TDH.MEM.PAGE.RELOCATE',
  operands:
    'in: RCX = GPA | level 0, RDX = TDR HPA, R8 = HPA of the new page; out: RCX = HPA of the old page, or RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.PAGE.RELOCATE'),
  outputs: ENTRY_OUTPUTS,
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const sept = configuration.secureEpt;
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_4K, PageLevel.PAGE_4K);
    registers.zero(ENTRY_OUTPUTS);
    if (gpa < 0) return core.code;
    const next = core.septOperand(registers, sept, gpa, SeptOperation.MEM_PAGE_RELOCATE);
    if (next < 0) return core.code;
    const { hpa: source } = sept;
    if (registers.number(Gpr.R8) === source) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.R8);
    const code = core.blockedAndTracked(registers, td, sept);
    if (code !== CompletionCode.SUCCESS) return code;
    const target = core.takePage(registers, Gpr.R8, td, PageType.REG);
    if (target < 0) return core.code;
    if (!SEPT_STATES[sept.state]!.pending) core.copyPage(source, target);
    sept.setLeaf(gpa, target, next);
    core.releasePages(td, source, PageLevel.PAGE_4K);
    registers.setNumber(Gpr.RCX, source);
    return CompletionCode.SUCCESS;
  },
};
