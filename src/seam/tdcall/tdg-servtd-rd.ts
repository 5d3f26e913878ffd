import { TdgLeaf } from '../../abi/index.ts';
import { RDX } from './guest-registers.ts';
import type { TdcallRow } from './row.ts';
import { reachTarget } from './servtd-leaf.ts';

/** Would read TD-scope metadata of a TD that the caller serves. */
export const tdgServtdRd: TdcallRow = {
  leaf: TdgLeaf.SERVTD_RD,
  name: 'TDG.SERVTD.RD',
  maxVersion: 0,
  operands:
    'in: RCX = binding handle, RDX = field id, R10-R13 = TD_UUID of the target; out: RDX = next field id, R8 = value, R10-R13',
  source: 'TDX Module 1.5 ABI Definition, "TDG.SERVTD.RD Leaf"',
  run(core, vcpu) {
    vcpu.cpu.state.set(RDX, -1, -1);
    return reachTarget(core, vcpu);
  },
};
