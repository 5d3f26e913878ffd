import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { findTdField } from '../metadata/td.ts';
import { OpState } from '../structures/td.ts';
import { leafSource, type TdRow } from './row.ts';

/** Reads TD-scope metadata; what a production TD keeps from its host needs ATTRIBUTES.DEBUG. */
export const tdhMngRd: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MNG_RD,
  name: 'TDH.MNG.RD',
  operands: 'in: RCX = TDR HPA, RDX = field id; out: R8 = value',
  source: leafSource('TDH.MNG.RD'),
  tdr: Gpr.RCX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const id = registers.u64[Gpr.RDX]!;
    registers.u64[Gpr.R8] = 0n;
    const field = findTdField(id);
    if (field === undefined) return core.fail(CompletionCode.METADATA_FIELD_ID_INCORRECT, OperandId.RDX);
    if (!field.row.hostReadable && !td.isDebug)
      return core.fail(CompletionCode.METADATA_FIELD_NOT_READABLE, OperandId.RDX);
    registers.u64[Gpr.R8] = field.row.read(td, configuration, field.element);
    return CompletionCode.SUCCESS;
  },
};
