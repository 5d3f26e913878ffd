import { Gpr, TdhLeaf } from '../../abi/index.ts';
import { hostOf } from '../metadata/field-row.ts';
import { TD_TABLE } from '../metadata/td.ts';
import { OpState } from '../structures/td.ts';
import { FIELD_OUTPUTS, readField } from './metadata-leaf.ts';
import { leafSource, type TdRow } from './row.ts';
import { versionOf } from './version.ts';

/** Reads TD-scope metadata; what a production TD keeps from its host needs ATTRIBUTES.DEBUG. */
export const tdhMngRd: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MNG_RD,
  name: 'TDH.MNG.RD',
  operands: 'in: RCX = TDR HPA, RDX = field id; out: R8 = value, version 1: RDX = next field id or all ones',
  source: leafSource('TDH.MNG.RD'),
  maxVersion: 1,
  outputs: FIELD_OUTPUTS,
  tdr: Gpr.RCX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run: (core, registers, td) => readField(core, registers, TD_TABLE, td, hostOf(td), versionOf(registers) > 0),
};
