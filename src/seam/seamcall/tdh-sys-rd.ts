import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { readSystemField } from '../metadata/sys.ts';
import { leafSource, type SystemRow } from './row.ts';

export const tdhSysRd: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SYS_RD,
  name: 'TDH.SYS.RD',
  operands: 'in: RDX = field id; out: R8 = value',
  source: leafSource('TDH.SYS.RD'),
  beforeReady: true,
  run(core, registers) {
    const value = readSystemField(core.version, registers.u64[Gpr.RDX]!);
    registers.u64[Gpr.R8] = value ?? 0n;
    return value === undefined
      ? core.fail(CompletionCode.METADATA_FIELD_ID_INCORRECT, OperandId.RDX)
      : CompletionCode.SUCCESS;
  },
};
