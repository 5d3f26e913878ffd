import { CompletionCode, Gpr, OperandId, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { ENTRY_OUTPUTS, L2_PAGE_OUTPUTS, leafSource, type TdRow } from './row.ts';
import { versionOf } from './version.ts';

/** Takes an empty Secure EPT table away. A TD that may run must have it blocked and tracked first. */
export const tdhMemSeptRemove: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_SEPT_REMOVE,
  name: 'TDH.MEM.SEPT.REMOVE',
  operands:
    'in: RCX = GPA | level of the parent entry, RDX = TDR HPA; out: RCX = HPA of the table page, or RCX, RDX = entry and its level and state; version 1: R9 to R11 = -1, there are no tables of L2 VMs',
  source: leafSource('TDH.MEM.SEPT.REMOVE'),
  maxVersion: 1,
  outputs: ENTRY_OUTPUTS,
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const sept = configuration.secureEpt;
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_2M, sept.root.level);
    registers.zero(ENTRY_OUTPUTS);
    if (versionOf(registers) > 0) for (const register of L2_PAGE_OUTPUTS) registers.set(register, -1, -1);
    if (gpa < 0) return core.code;
    if (core.septOperand(registers, sept, gpa, SeptOperation.MEM_SEPT_REMOVE) < 0) return core.code;
    const code = core.blockedAndTracked(registers, td, sept);
    if (code !== CompletionCode.SUCCESS) return code;
    if (!sept.isTableFree) {
      core.describeEntry(registers, sept);
      return core.fail(CompletionCode.EPT_PAGE_NOT_FREE, OperandId.RCX);
    }
    const { hpa } = sept;
    sept.removeTable();
    core.releasePages(td, hpa, PageLevel.PAGE_4K);
    registers.setNumber(Gpr.RCX, hpa);
    return CompletionCode.SUCCESS;
  },
};
