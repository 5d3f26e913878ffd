/** What TDH.SERVTD.BIND and TDH.SERVTD.PREBIND have in common: which slot, which type, which attributes. Source: module 1.5.01, tdh_servtd_bind.c. */
import { CompletionCode, Gpr, OperandId, type RegisterFile } from '../../abi/index.ts';
import type { SeamCore } from '../core.ts';
import { SERVICE_TD_ATTRIBUTES, SERVICE_TD_MIGRATION, SERVICE_TD_SLOTS } from '../structures/service-td.ts';

/** R8 is a slot, R9 a type of service TD, R10 its SERVTD_ATTR. False: one is not, and `core.code` says which. */
export function namesServiceTd(core: SeamCore, registers: RegisterFile): boolean {
  if (registers.number(Gpr.R8) >= SERVICE_TD_SLOTS) core.fail(CompletionCode.OPERAND_INVALID, OperandId.R8);
  else if (registers.number(Gpr.R9) !== SERVICE_TD_MIGRATION) core.fail(CompletionCode.OPERAND_INVALID, OperandId.R9);
  else if ((registers.u64[Gpr.R10]! & ~SERVICE_TD_ATTRIBUTES) !== 0n)
    core.fail(CompletionCode.OPERAND_INVALID, OperandId.R10);
  else return true;
  return false;
}
