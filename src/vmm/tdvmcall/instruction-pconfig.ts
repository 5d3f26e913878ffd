/** Instruction.PCONFIG: platform configuration on a TD's behalf. */
import { TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import type { TdvmcallRow } from './tdvmcall.ts';

/** Known, and never granted: this platform has no key that a TD could program. */
export const instructionPconfig: TdvmcallRow = {
  leaf: TdvmcallLeaf.INSTRUCTION_PCONFIG,
  section: 'TDG.VP.VMCALL<Instruction.PCONFIG>',
  serve: () => TdvmcallStatus.INVALID_OPERAND,
};
