/** What TDH.SYS.RD, MNG.RD, VP.RD and TDH.MNG.WR, VP.WR have in common. Source: module 1.5.01, tdh_sys_rd.c, tdh_mng_rd_wr.c, tdh_vp_rd_wr.c. */
import { CompletionCode as Code, type CompletionCode, Gpr, type RegisterFile } from '../../abi/index.ts';
import type { SeamCore } from '../core.ts';
import { isNullId } from '../metadata/field-id.ts';
import type { Accessor } from '../metadata/field-row.ts';
import { type FieldTable, FieldValue } from '../metadata/field-table.ts';

const value = new FieldValue();

/** Zero when the TD or vCPU is refused. */
export const FIELD_OUTPUTS: readonly Gpr[] = [Gpr.R8];

/** Reads the field RDX into R8. With `tellsNext`, RDX becomes the id of the next field, and all ones ask for the first. */
export function readField<Scope>(
  core: SeamCore,
  registers: RegisterFile,
  table: FieldTable<Scope>,
  scope: Scope,
  by: Accessor,
  tellsNext: boolean,
): CompletionCode {
  const { version } = core;
  const [low, high] = [registers.low(Gpr.RDX), registers.high(Gpr.RDX)];
  if (tellsNext) registers.set(Gpr.RDX, -1, -1);
  registers.set(Gpr.R8, 0, 0);
  if (tellsNext && isNullId(low, high)) {
    registers.u64[Gpr.RDX] = table.nextElement(version, by, low, high);
    return core.fail(Code.METADATA_FIRST_FIELD_ID_IN_CONTEXT);
  }
  const code = table.read(version, scope, by, low, high, value);
  if (code !== Code.SUCCESS) return core.fail(code);
  if (tellsNext) registers.u64[Gpr.RDX] = table.nextElement(version, by, low, high);
  registers.set(Gpr.R8, value.low, value.high);
  return Code.SUCCESS;
}

/** Writes the bits R9 of the field RDX from R8, which becomes the value before. */
export function writeField<Scope>(
  core: SeamCore,
  registers: RegisterFile,
  table: FieldTable<Scope>,
  scope: Scope,
  by: Accessor,
): CompletionCode {
  const written = registers.u64[Gpr.R8]!;
  registers.set(Gpr.R8, 0, 0);
  const [low, high] = [registers.low(Gpr.RDX), registers.high(Gpr.RDX)];
  const code = table.write(core.version, scope, by, low, high, written, registers.u64[Gpr.R9]!, value);
  if (code !== Code.SUCCESS) return core.fail(code);
  registers.set(Gpr.R8, value.low, value.high);
  return Code.SUCCESS;
}
