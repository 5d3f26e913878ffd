import { TdgLeaf } from '../../abi/index.ts';
import { VP_TABLE } from '../metadata/vp.ts';
import { readField } from './metadata-leaf.ts';
import type { TdcallRow } from './row.ts';

/** Reads metadata of the vCPU that asks. */
export const tdgVpRd: TdcallRow = {
  leaf: TdgLeaf.VP_RD,
  name: 'TDG.VP.RD',
  maxVersion: 0,
  operands: 'in: RCX = 0, RDX = field id; out: RDX = next field id or all ones, R8 = value',
  source: 'TDX Module 1.5 ABI Definition, "TDG.VP.RD Leaf"',
  run: (core, vcpu) => readField(core, vcpu, VP_TABLE, vcpu, true, true),
};
