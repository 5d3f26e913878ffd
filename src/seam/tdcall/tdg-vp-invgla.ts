import { CompletionCode as Code, type CompletionCode, OperandId, TdgLeaf } from '../../abi/index.ts';
import type { TdcallRow } from './row.ts';

/** Would forget translations of linear addresses of an L2 virtual machine; a TD without partitioning has none that RCX could name. */
export const tdgVpInvgla: TdcallRow = {
  leaf: TdgLeaf.VP_INVGLA,
  name: 'TDG.VP.INVGLA',
  maxVersion: 0,
  operands: 'in: RCX = virtual machine 53:52, bit 0 = list, RDX = linear addresses or list of them',
  source: 'TDX Module 1.5 ABI Definition, "TDG.VP.INVGLA Leaf"',
  run: (core): CompletionCode => core.fail(Code.OPERAND_INVALID, OperandId.RCX),
};
