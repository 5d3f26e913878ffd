import { CompletionCode as Code, type CompletionCode, OperandId, TdgLeaf } from '../../abi/index.ts';
import { findTdField } from '../metadata/td.ts';
import { R8, R9, RCX, RDX } from './guest-registers.ts';
import type { TdcallRow } from './row.ts';

/** Writes TD-scope metadata. Bits outside the field's write mask may be in R9 as long as they do not change. */
export const tdgVmWr: TdcallRow = {
  leaf: TdgLeaf.VM_WR,
  name: 'TDG.VM.WR',
  maxVersion: 0,
  operands: 'in: RCX = 0, RDX = field id, R8 = value, R9 = write mask; out: R8 = previous value',
  source: 'TDX Module 1.5 ABI Definition, "TDG.VM.WR Leaf"',
  run(core, vcpu, configuration): CompletionCode {
    const { state } = vcpu.cpu;
    const value = state.big(R8);
    const mask = state.big(R9);
    state.set(R8, 0, 0);
    if (state.low(RCX) !== 0 || state.high(RCX) !== 0) return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
    const field = findTdField(state.big(RDX));
    if (field === undefined) return core.fail(Code.METADATA_FIELD_ID_INCORRECT, OperandId.RDX);
    const { row, element } = field;
    if (row.write === undefined || (row.guestWriteMask & mask) === 0n)
      return core.fail(Code.METADATA_FIELD_NOT_WRITABLE, OperandId.RDX);
    const old = row.read(vcpu.td, configuration, element);
    const wanted = (old & ~mask) | (value & mask);
    if (((wanted ^ old) & ~row.guestWriteMask) !== 0n || !row.write(vcpu.td, configuration, wanted))
      return core.fail(Code.METADATA_FIELD_VALUE_NOT_VALID, OperandId.RDX);
    state.setBig(R8, old);
    return Code.SUCCESS;
  },
};
