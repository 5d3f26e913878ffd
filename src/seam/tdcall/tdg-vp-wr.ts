import { TdgLeaf } from '../../abi/index.ts';
import { VP_TABLE } from '../metadata/vp.ts';
import { writeField } from './metadata-leaf.ts';
import type { TdcallRow } from './row.ts';

/** Writes metadata of the vCPU that asks. */
export const tdgVpWr: TdcallRow = {
  leaf: TdgLeaf.VP_WR,
  name: 'TDG.VP.WR',
  maxVersion: 0,
  operands: 'in: RCX = 0, RDX = field id, R8 = value, R9 = write mask; out: R8 = previous value',
  source: 'TDX Module 1.5 ABI Definition, "TDG.VP.WR Leaf"',
  run: (core, vcpu) => writeField(core, vcpu, VP_TABLE, vcpu),
};
