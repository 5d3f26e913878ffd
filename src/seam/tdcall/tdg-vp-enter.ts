import { CompletionCode as Code, type CompletionCode, OperandId, TdgLeaf } from '../../abi/index.ts';
import { addressIn, RDX } from './guest-registers.ts';
import type { TdcallRow } from './row.ts';

const GUEST_STATE_ALIGNMENT = 256;

/** Would enter an L2 virtual machine; a TD without partitioning has none that RCX could name. */
export const tdgVpEnter: TdcallRow = {
  leaf: TdgLeaf.VP_ENTER,
  name: 'TDG.VP.ENTER',
  maxVersion: 0,
  operands: 'in: RCX = virtual machine 53:52, invalidation 1:0, RDX = private GPA of its registers, 256-byte aligned',
  source: 'TDX Module 1.5 ABI Definition, "TDG.VP.ENTER Leaf"',
  run(core, vcpu, { sharedBit }): CompletionCode {
    const gpa = addressIn(vcpu, RDX);
    const legal = gpa % GUEST_STATE_ALIGNMENT === 0 && gpa < sharedBit;
    return core.fail(Code.OPERAND_INVALID, legal ? OperandId.RCX : OperandId.RDX);
  },
};
