import { CompletionCode, Gpr, OperandId, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { OpState } from '../structures/td.ts';
import { ENTRY_OUTPUTS, leafSource, type TdRow } from './row.ts';

const READ_L2_ATTRIBUTES = 1;

/** Shows a Secure EPT entry: where it leads, its level and its state. */
export const tdhMemSeptRd: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_SEPT_RD,
  name: 'TDH.MEM.SEPT.RD',
  operands:
    'in: RCX = GPA | level, RDX = TDR HPA | READ_L2_ATTRIBUTES; out: RCX, RDX = entry and its level and state, R8 = attributes in L2 VMs if asked: none',
  source: leafSource('TDH.MEM.SEPT.RD'),
  outputs: ENTRY_OUTPUTS,
  tdr: Gpr.RDX,
  handleFlags: { low: READ_L2_ATTRIBUTES, high: 0 },
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const sept = configuration.secureEpt;
    const wantsAttributes = (registers.low(Gpr.RDX) & READ_L2_ATTRIBUTES) !== 0;
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_4K, sept.root.level);
    registers.zero(ENTRY_OUTPUTS);
    if (wantsAttributes && !td.isDebug) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RDX);
    if (gpa < 0) return core.code;
    const reached = sept.walk(gpa, core.pageLevel);
    core.describeEntry(registers, sept);
    if (!reached) return core.fail(CompletionCode.EPT_WALK_FAILED, OperandId.RCX);
    if (wantsAttributes) registers.set(Gpr.R8, 0, 0);
    return CompletionCode.SUCCESS;
  },
};
