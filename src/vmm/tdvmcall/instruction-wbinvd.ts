/** Instruction.WBINVD: R12 = 0 WBINVD, 1 WBNOINVD. */
import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

const WBNOINVD = 1;

/** There are no caches, so nothing is to be written back. */
export const instructionWbinvd: TdvmcallRow = {
  leaf: TdvmcallLeaf.INSTRUCTION_WBINVD,
  section: 'TDG.VP.VMCALL<Instruction.WBINVD>',
  serve({ registers }: Tdvmcall): TdvmcallStatus {
    return registers.number(Gpr.R12) <= WBNOINVD ? TdvmcallStatus.SUCCESS : TdvmcallStatus.INVALID_OPERAND;
  },
};
