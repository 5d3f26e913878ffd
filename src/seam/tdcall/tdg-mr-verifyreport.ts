import {
  CompletionCode as Code,
  type CompletionCode,
  OperandId,
  REPORTMACSTRUCT_BYTES,
  TdgLeaf,
} from '../../abi/index.ts';
import { checkReport, ReportVerdict } from '../report/verify-report.ts';
import { OPERAND_ILLEGAL, OPERAND_UNAVAILABLE, translateOperand } from '../td-exit/ept-violation.ts';
import { addressIn, RCX } from './guest-registers.ts';
import type { TdcallRow } from './row.ts';

const CODES = {
  [ReportVerdict.GENUINE]: Code.SUCCESS,
  [ReportVerdict.WRONG_CPUSVN]: Code.INVALID_CPUSVN,
  [ReportVerdict.NOT_OURS]: Code.INVALID_REPORTMACSTRUCT,
} as const;

/** Was this report made on this platform? */
export const tdgMrVerifyreport: TdcallRow = {
  leaf: TdgLeaf.MR_VERIFYREPORT,
  name: 'TDG.MR.VERIFYREPORT',
  maxVersion: 0,
  operands: 'in: RCX = private GPA of a REPORTMACSTRUCT, 256-byte aligned',
  source: 'TDX Module 1.5 ABI Definition, "TDG.MR.VERIFYREPORT Leaf"',
  run(core, vcpu, configuration): CompletionCode {
    const gpa = addressIn(vcpu, RCX);
    if (gpa % REPORTMACSTRUCT_BYTES !== 0) return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
    const hpa = translateOperand(core, vcpu, configuration, gpa, false, false);
    if (hpa === OPERAND_ILLEGAL) return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
    if (hpa === OPERAND_UNAVAILABLE) return core.code;
    const struct = core.memory.u8.slice(hpa, hpa + REPORTMACSTRUCT_BYTES);
    return core.fail(CODES[checkReport(struct, core.version, core.secrets)]);
  },
};
