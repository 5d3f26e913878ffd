import { CompletionCode as Code, type CompletionCode, OperandId, TdgLeaf } from '../../abi/index.ts';
import { RCX } from './guest-registers.ts';
import type { TdcallRow } from './row.ts';

/** Forgets translations of L2 virtual machines; a TD without partitioning has none, so no bit may be set. */
export const tdgVpInvept: TdcallRow = {
  leaf: TdgLeaf.VP_INVEPT,
  name: 'TDG.VP.INVEPT',
  maxVersion: 0,
  operands: 'in: RCX = bit for each virtual machine, bit 0 reserved',
  source: 'TDX Module 1.5 ABI Definition, "TDG.VP.INVEPT Leaf"',
  run(core, vcpu): CompletionCode {
    const { state } = vcpu.cpu;
    if (state.low(RCX) !== 0 || state.high(RCX) !== 0) return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
    return Code.SUCCESS;
  },
};
