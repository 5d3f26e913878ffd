import { TdgLeaf } from '../../abi/index.ts';
import { TD_TABLE } from '../metadata/td.ts';
import { writeField } from './metadata-leaf.ts';
import type { TdcallRow } from './row.ts';

/** Writes TD-scope metadata. Bits outside the field's write mask may be in R9 as long as they do not change. */
export const tdgVmWr: TdcallRow = {
  leaf: TdgLeaf.VM_WR,
  name: 'TDG.VM.WR',
  maxVersion: 0,
  operands: 'in: RCX = 0, RDX = field id, R8 = value, R9 = write mask; out: R8 = previous value',
  source: 'TDX Module 1.5 ABI Definition, "TDG.VM.WR Leaf"',
  run: (core, vcpu) => writeField(core, vcpu, TD_TABLE, vcpu.td),
};
