import { CompletionCode, OperandId, type RegisterFile } from '../../abi/index.ts';
import type { SeamCore } from '../core.ts';
import { nextState, type SeptOperation } from '../sept/states.ts';
import type { Td, TdConfiguration } from '../structures/td.ts';

/**
 * Index in 32-bit words of the 8 bytes that TDH.MEM.RD or TDH.MEM.WR names, in a TD that is debuggable and a page that is mapped. -1
 * if not, with `code`, and for a missing page RCX and RDX, set.
 */
export function debugWord(
  core: SeamCore,
  registers: RegisterFile,
  td: Td,
  configuration: TdConfiguration,
  gpa: number,
  operation: SeptOperation,
): number {
  if (!td.isDebug) {
    core.fail(CompletionCode.TD_NON_DEBUG);
    return -1;
  }
  if (gpa % 8 !== 0 || gpa >= configuration.sharedBit) {
    core.fail(CompletionCode.OPERAND_INVALID, OperandId.RCX);
    return -1;
  }
  const sept = configuration.secureEpt;
  if (!sept.walkToLeaf(gpa) || nextState(sept.state, operation) < 0) {
    core.describeEntry(registers, sept);
    core.fail(CompletionCode.EPT_ENTRY_NOT_PRESENT, OperandId.RCX);
    return -1;
  }
  return sept.hpaOf(gpa) / 4;
}
