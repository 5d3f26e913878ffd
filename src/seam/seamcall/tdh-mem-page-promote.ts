import { CompletionCode, Gpr, OperandId, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { ENTRY_OUTPUTS, L2_PAGE_OUTPUTS, leafSource, type TdRow } from './row.ts';
import { versionOf } from './version.ts';

/** Merges 512 pages that lie side by side into one. A TD that may run must have their table blocked and tracked first. */
export const tdhMemPagePromote: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_PAGE_PROMOTE,
  name: 'TDH.MEM.PAGE.PROMOTE',
  operands:
    'in: RCX = GPA | level 1 or 2, RDX = TDR HPA; out: RCX = HPA of the table page, or RCX, RDX = entry and its level and state; version 1: R9 to R11 = -1, there are no tables of L2 VMs',
  source: leafSource('TDH.MEM.PAGE.PROMOTE'),
  maxVersion: 1,
  outputs: ENTRY_OUTPUTS,
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const sept = configuration.secureEpt;
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_2M, PageLevel.PAGE_1G);
    registers.zero(ENTRY_OUTPUTS);
    if (versionOf(registers) > 0) for (const register of L2_PAGE_OUTPUTS) registers.set(register, -1, -1);
    if (gpa < 0) return core.code;
    if (core.septOperand(registers, sept, gpa, SeptOperation.MEM_PAGE_PROMOTE) < 0) return core.code;
    const code = core.blockedAndTracked(registers, td, sept);
    if (code !== CompletionCode.SUCCESS) return code;
    const { mergeable, level, hpa: table } = sept;
    if (mergeable === undefined) {
      core.describeEntry(registers, sept);
      return core.fail(CompletionCode.EPT_INVALID_PROMOTE_CONDITIONS, OperandId.RCX);
    }
    sept.promote(gpa, mergeable.hpa, mergeable.state);
    core.pamt.promote(mergeable.hpa, level);
    core.releasePages(td, table, PageLevel.PAGE_4K);
    registers.setNumber(Gpr.RCX, table);
    return CompletionCode.SUCCESS;
  },
};
