import { TdhLeaf } from '../../abi/index.ts';
import { Accessor } from '../metadata/field-row.ts';
import { SYSTEM_TABLE } from '../metadata/sys.ts';
import { readField } from './metadata-leaf.ts';
import { leafSource, type SystemRow } from './row.ts';

/** Reads system-scope metadata, also before the module is ready. */
export const tdhSysRd: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SYS_RD,
  name: 'TDH.SYS.RD',
  operands: 'in: RDX = field id or all ones; out: RDX = next field id or all ones, R8 = value',
  source: leafSource('TDH.SYS.RD'),
  beforeReady: true,
  run: (core, registers) => readField(core, registers, SYSTEM_TABLE, core, Accessor.HOST, true),
};
