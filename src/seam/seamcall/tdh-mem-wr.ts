import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { SEPT_STATES, SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { leafSource, type TdRow } from './row.ts';

/** Writes 8 bytes of a debuggable TD's private memory. */
export const tdhMemWr: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_WR,
  name: 'TDH.MEM.WR',
  operands:
    'in: RCX = GPA, 8-byte aligned, RDX = TDR HPA, R8 = value; out: R8 = previous value, or RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.WR'),
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const gpa = registers.number(Gpr.RCX);
    registers.setNumber(Gpr.RCX, 0);
    registers.setNumber(Gpr.RDX, 0);
    if (!td.isDebug) return core.fail(CompletionCode.TD_NON_DEBUG);
    if (gpa % 8 !== 0 || gpa >= configuration.sharedBit)
      return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RCX);
    const sept = configuration.secureEpt;
    if (!sept.walkToLeaf(gpa) || SEPT_STATES[sept.state]!.transitions[SeptOperation.MEM_WR] === undefined) {
      core.describeEntry(registers, sept);
      return core.fail(CompletionCode.EPT_WALK_FAILED, OperandId.RCX);
    }
    const { u32 } = core.memory;
    const word = sept.hpaOf(gpa) >>> 2;
    const low = u32[word]!;
    const high = u32[word + 1]!;
    u32[word] = registers.low(Gpr.R8);
    u32[word + 1] = registers.high(Gpr.R8);
    registers.set(Gpr.R8, low, high);
    return CompletionCode.SUCCESS;
  },
};
