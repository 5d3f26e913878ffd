import { CompletionCode as Code, type CompletionCode, OperandId, TdgLeaf } from '../../abi/index.ts';
import { ALL_ONES } from '../metadata/field-id.ts';
import { nextSystemField, readSystemField } from '../metadata/sys.ts';
import { R8, RDX } from './guest-registers.ts';
import type { TdcallRow } from './row.ts';

/** Reads system-scope metadata. */
export const tdgSysRd: TdcallRow = {
  leaf: TdgLeaf.SYS_RD,
  name: 'TDG.SYS.RD',
  maxVersion: 0,
  operands: 'in: RDX = field id; out: RDX = next field id or all ones, R8 = value',
  source: 'TDX Module 1.5 ABI Definition, "TDG.SYS.RD Leaf"',
  run(core, vcpu): CompletionCode {
    const { state } = vcpu.cpu;
    const id = state.big(RDX);
    state.set(R8, 0, 0);
    state.set(RDX, -1, -1);
    if (id === ALL_ONES) {
      state.setBig(RDX, nextSystemField(id));
      return core.fail(Code.METADATA_FIRST_FIELD_ID_IN_CONTEXT);
    }
    const value = readSystemField(core.version, id);
    if (value === undefined) return core.fail(Code.METADATA_FIELD_ID_INCORRECT, OperandId.RDX);
    state.setBig(RDX, nextSystemField(id));
    state.setBig(R8, value);
    return Code.SUCCESS;
  },
};
