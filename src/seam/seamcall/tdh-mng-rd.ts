import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { Accessor } from '../metadata/field-row.ts';
import { FieldValue } from '../metadata/field-table.ts';
import { TD_TABLE } from '../metadata/td.ts';
import { OpState } from '../structures/td.ts';
import { leafSource, type TdRow } from './row.ts';

const value = new FieldValue();

/** Reads TD-scope metadata; what a production TD keeps from its host needs ATTRIBUTES.DEBUG. */
export const tdhMngRd: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MNG_RD,
  name: 'TDH.MNG.RD',
  operands: 'in: RCX = TDR HPA, RDX = field id; out: R8 = value',
  source: leafSource('TDH.MNG.RD'),
  tdr: Gpr.RCX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td) {
    const accessor = td.isDebug ? Accessor.DEBUG_HOST : Accessor.HOST;
    const [low, high] = [registers.low(Gpr.RDX), registers.high(Gpr.RDX)];
    const code = TD_TABLE.read(core.version, td, accessor, low, high, value);
    registers.set(Gpr.R8, value.low, value.high);
    return code === CompletionCode.SUCCESS ? code : core.fail(code);
  },
};
