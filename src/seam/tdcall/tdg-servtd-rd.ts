import { TdgLeaf } from '../../abi/index.ts';
import { Accessor } from '../metadata/field-row.ts';
import { TD_TABLE } from '../metadata/td.ts';
import { RDX } from './guest-registers.ts';
import { readElement } from './metadata-leaf.ts';
import type { TdcallRow } from './row.ts';
import { reachTarget } from './servtd-leaf.ts';

/** Reads TD-scope metadata of a TD that the caller serves. */
export const tdgServtdRd: TdcallRow = {
  leaf: TdgLeaf.SERVTD_RD,
  name: 'TDG.SERVTD.RD',
  maxVersion: 0,
  operands:
    'in: RCX = binding handle, RDX = field id, R10-R13 = TD_UUID of the target; out: RDX = next field id, R8 = value, R10-R13',
  source: 'TDX Module 1.5 ABI Definition, "TDG.SERVTD.RD Leaf"',
  run(core, vcpu) {
    const { state } = vcpu.cpu;
    const [low, high] = [state.low(RDX), state.high(RDX)];
    state.set(RDX, -1, -1);
    const target = reachTarget(core, vcpu);
    if (target === undefined) return core.code;
    return readElement(core, vcpu, TD_TABLE, target, Accessor.SERVICE_TD, low, high, true);
  },
};
