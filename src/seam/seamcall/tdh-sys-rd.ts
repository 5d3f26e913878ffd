import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { Accessor } from '../metadata/field-row.ts';
import { FieldValue } from '../metadata/field-table.ts';
import { SYSTEM_TABLE } from '../metadata/sys.ts';
import { leafSource, type SystemRow } from './row.ts';

const value = new FieldValue();

export const tdhSysRd: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SYS_RD,
  name: 'TDH.SYS.RD',
  operands: 'in: RDX = field id; out: R8 = value',
  source: leafSource('TDH.SYS.RD'),
  beforeReady: true,
  run(core, registers) {
    const [low, high] = [registers.low(Gpr.RDX), registers.high(Gpr.RDX)];
    const code = SYSTEM_TABLE.read(core.version, core, Accessor.HOST, low, high, value);
    registers.set(Gpr.R8, value.low, value.high);
    return code === CompletionCode.SUCCESS ? code : core.fail(code);
  },
};
