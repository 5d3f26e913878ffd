/** What TDG.VM.RD, VP.RD, SYS.RD and TDG.VM.WR, VP.WR have in common. Source: TDX module 1.5 source, tdg_vm_rd_wr.c, tdg_vp_rd_wr.c, tdg_sys_rd.c. */
import { CompletionCode as Code, type CompletionCode, OperandId } from '../../abi/index.ts';
import type { SeamCore } from '../core.ts';
import { isNullId } from '../metadata/field-id.ts';
import { Accessor } from '../metadata/field-row.ts';
import { type FieldTable, FieldValue } from '../metadata/field-table.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { R8, R9, RCX, RDX } from './guest-registers.ts';

const value = new FieldValue();

/** RCX names a virtual machine or a vCPU, and only the caller's own can be named. */
function namesItself({ cpu: { state } }: Vcpu): boolean {
  return state.low(RCX) === 0 && state.high(RCX) === 0;
}

/** Reads the field RDX into R8. With `tellsNext`, RDX becomes the id of the next field, and all ones ask for the first. */
export function readField<Scope>(
  core: SeamCore,
  vcpu: Vcpu,
  table: FieldTable<Scope>,
  scope: Scope,
  tellsNext: boolean,
  checksRcx: boolean,
): CompletionCode {
  const { state } = vcpu.cpu;
  const low = state.low(RDX);
  const high = state.high(RDX);
  if (tellsNext) state.set(RDX, -1, -1);
  state.set(R8, 0, 0);
  if (checksRcx && !namesItself(vcpu)) return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
  return readElement(core, vcpu, table, scope, Accessor.GUEST, low, high, tellsNext);
}

/** Reads the field with the id `low`, `high` for whoever asks; the output registers are cleared already. */
export function readElement<Scope>(
  core: SeamCore,
  { cpu: { state } }: Vcpu,
  table: FieldTable<Scope>,
  scope: Scope,
  by: Accessor,
  low: number,
  high: number,
  tellsNext: boolean,
): CompletionCode {
  const { version } = core;
  if (tellsNext && isNullId(low, high)) {
    state.setBig(RDX, table.nextElement(version, by, low, high));
    return core.fail(Code.METADATA_FIRST_FIELD_ID_IN_CONTEXT);
  }
  const code = table.read(version, scope, by, low, high, value);
  if (code !== Code.SUCCESS) return core.fail(code);
  if (tellsNext) state.setBig(RDX, table.nextElement(version, by, low, high));
  state.set(R8, value.low, value.high);
  return Code.SUCCESS;
}

/** Writes the bits R9 of the field RDX from R8, which becomes the value before. */
export function writeField<Scope>(core: SeamCore, vcpu: Vcpu, table: FieldTable<Scope>, scope: Scope): CompletionCode {
  const { state } = vcpu.cpu;
  const written = state.big(R8);
  state.set(R8, 0, 0);
  if (!namesItself(vcpu)) return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
  return writeElement(core, vcpu, table, scope, Accessor.GUEST, written);
}

/** Writes the bits R9 of the field RDX for whoever asks; R8, which is cleared already, becomes the value before. */
export function writeElement<Scope>(
  core: SeamCore,
  { cpu: { state } }: Vcpu,
  table: FieldTable<Scope>,
  scope: Scope,
  by: Accessor,
  written: bigint,
): CompletionCode {
  const [low, high] = [state.low(RDX), state.high(RDX)];
  const code = table.write(core.version, scope, by, low, high, written, state.big(R9), value);
  if (code !== Code.SUCCESS) return core.fail(code);
  state.set(R8, value.low, value.high);
  return Code.SUCCESS;
}
