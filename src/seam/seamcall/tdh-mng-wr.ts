import { Gpr, TdhLeaf } from '../../abi/index.ts';
import { hostOf } from '../metadata/field-row.ts';
import { TD_TABLE } from '../metadata/td.ts';
import { OpState } from '../structures/td.ts';
import { FIELD_OUTPUTS, writeField } from './metadata-leaf.ts';
import { leafSource, type TdRow } from './row.ts';

/** Writes TD-scope metadata. */
export const tdhMngWr: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MNG_WR,
  name: 'TDH.MNG.WR',
  operands: 'in: RCX = TDR HPA, RDX = field id, R8 = value, R9 = write mask; out: R8 = previous value',
  source: leafSource('TDH.MNG.WR'),
  outputs: FIELD_OUTPUTS,
  tdr: Gpr.RCX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run: (core, registers, td) => writeField(core, registers, TD_TABLE, td, hostOf(td)),
};
