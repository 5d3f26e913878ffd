import { CompletionCode as Code, type CompletionCode, OperandId, TdgLeaf } from '../../abi/index.ts';
import { ALL_ONES } from '../metadata/field-id.ts';
import { findTdField, nextTdField } from '../metadata/td.ts';
import { R8, RCX, RDX } from './guest-registers.ts';
import type { TdcallRow } from './row.ts';

/** Reads TD-scope metadata. */
export const tdgVmRd: TdcallRow = {
  leaf: TdgLeaf.VM_RD,
  name: 'TDG.VM.RD',
  maxVersion: 1,
  operands: 'in: RCX = 0, RDX = field id; out: R8 = value, version 1: RDX = next field id or all ones',
  source: 'TDX Module 1.5 ABI Definition, "TDG.VM.RD Leaf"',
  run(core, vcpu, configuration, version): CompletionCode {
    const { state } = vcpu.cpu;
    const id = state.big(RDX);
    state.set(R8, 0, 0);
    if (version > 0) state.set(RDX, -1, -1);
    if (state.low(RCX) !== 0 || state.high(RCX) !== 0) return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
    if (id === ALL_ONES && version > 0) {
      state.setBig(RDX, nextTdField(id));
      return core.fail(Code.METADATA_FIRST_FIELD_ID_IN_CONTEXT);
    }
    const field = findTdField(id);
    if (field === undefined) return core.fail(Code.METADATA_FIELD_ID_INCORRECT, OperandId.RDX);
    if (version > 0) state.setBig(RDX, nextTdField(id));
    state.setBig(R8, field.row.read(vcpu.td, configuration, field.element));
    return Code.SUCCESS;
  },
};
