import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { SEPT_STATES, SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { leafSource, type TdRow } from './row.ts';

/** Reads 8 bytes of a debuggable TD's private memory. */
export const tdhMemRd: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_RD,
  name: 'TDH.MEM.RD',
  operands:
    'in: RCX = GPA, 8-byte aligned, RDX = TDR HPA; out: R8 = value, or RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.RD'),
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const gpa = registers.number(Gpr.RCX);
    registers.setNumber(Gpr.RCX, 0);
    registers.setNumber(Gpr.RDX, 0);
    registers.set(Gpr.R8, 0, 0);
    if (!td.isDebug) return core.fail(CompletionCode.TD_NON_DEBUG);
    if (gpa % 8 !== 0 || gpa >= configuration.sharedBit)
      return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RCX);
    const sept = configuration.secureEpt;
    if (!sept.walkToLeaf(gpa) || SEPT_STATES[sept.state]!.transitions[SeptOperation.MEM_RD] === undefined) {
      core.describeEntry(registers, sept);
      return core.fail(CompletionCode.EPT_WALK_FAILED, OperandId.RCX);
    }
    const hpa = sept.hpaOf(gpa);
    registers.set(Gpr.R8, core.memory.i32[hpa >>> 2]!, core.memory.i32[(hpa >>> 2) + 1]!);
    return CompletionCode.SUCCESS;
  },
};
