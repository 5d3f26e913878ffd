import { TdgLeaf } from '../../abi/index.ts';
import type { TdcallRow } from './row.ts';
import { reachTarget } from './servtd-leaf.ts';

/** Would write TD-scope metadata of a TD that the caller serves. */
export const tdgServtdWr: TdcallRow = {
  leaf: TdgLeaf.SERVTD_WR,
  name: 'TDG.SERVTD.WR',
  maxVersion: 0,
  operands:
    'in: RCX = binding handle, RDX = field id, R8 = value, R9 = write mask, R10-R13 = TD_UUID of the target; out: R8 = previous value, R10-R13',
  source: 'TDX Module 1.5 ABI Definition, "TDG.SERVTD.WR Leaf"',
  run: (core, vcpu) => reachTarget(core, vcpu),
};
