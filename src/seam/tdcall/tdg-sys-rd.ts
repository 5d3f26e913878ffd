import { TdgLeaf } from '../../abi/index.ts';
import { SYSTEM_TABLE } from '../metadata/sys.ts';
import { readField } from './metadata-leaf.ts';
import type { TdcallRow } from './row.ts';

/** Reads system-scope metadata. */
export const tdgSysRd: TdcallRow = {
  leaf: TdgLeaf.SYS_RD,
  name: 'TDG.SYS.RD',
  maxVersion: 0,
  operands: 'in: RDX = field id; out: RDX = next field id or all ones, R8 = value',
  source: 'TDX Module 1.5 ABI Definition, "TDG.SYS.RD Leaf"',
  run: (core, vcpu) => readField(core, vcpu, SYSTEM_TABLE, core, true, false),
};
