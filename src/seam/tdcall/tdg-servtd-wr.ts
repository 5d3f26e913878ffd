import { TdgLeaf } from '../../abi/index.ts';
import { Accessor } from '../metadata/field-row.ts';
import { TD_TABLE } from '../metadata/td.ts';
import { R8 } from './guest-registers.ts';
import { writeElement } from './metadata-leaf.ts';
import type { TdcallRow } from './row.ts';
import { reachTarget } from './servtd-leaf.ts';

/** Writes TD-scope metadata of a TD that the caller serves. */
export const tdgServtdWr: TdcallRow = {
  leaf: TdgLeaf.SERVTD_WR,
  name: 'TDG.SERVTD.WR',
  maxVersion: 0,
  operands:
    'in: RCX = binding handle, RDX = field id, R8 = value, R9 = write mask, R10-R13 = TD_UUID of the target; out: R8 = previous value, R10-R13',
  source: 'TDX Module 1.5 ABI Definition, "TDG.SERVTD.WR Leaf"',
  run(core, vcpu) {
    const written = vcpu.cpu.state.big(R8);
    const target = reachTarget(core, vcpu);
    if (target === undefined) return core.code;
    return writeElement(core, vcpu, TD_TABLE, target, Accessor.SERVICE_TD, written);
  },
};
