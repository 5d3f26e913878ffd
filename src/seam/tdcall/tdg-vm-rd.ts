import { TdgLeaf } from '../../abi/index.ts';
import { TD_TABLE } from '../metadata/td.ts';
import { readField } from './metadata-leaf.ts';
import type { TdcallRow } from './row.ts';

/** Reads TD-scope metadata. */
export const tdgVmRd: TdcallRow = {
  leaf: TdgLeaf.VM_RD,
  name: 'TDG.VM.RD',
  maxVersion: 1,
  operands: 'in: RCX = 0, RDX = field id; out: R8 = value, version 1: RDX = next field id or all ones',
  source: 'TDX Module 1.5 ABI Definition, "TDG.VM.RD Leaf"',
  run: (core, vcpu, _, version) => readField(core, vcpu, TD_TABLE, vcpu.td, version > 0, true),
};
