import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
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
  run(core, registers) {
    if (core.processorInitialised) return readField(core, registers, SYSTEM_TABLE, core, Accessor.HOST, true);
    registers.set(Gpr.RDX, -1, -1);
    registers.set(Gpr.R8, 0, 0);
    return core.fail(CompletionCode.SYS_LP_INIT_NOT_DONE);
  },
};
