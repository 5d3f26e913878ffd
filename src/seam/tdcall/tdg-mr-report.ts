import {
  CompletionCode as Code,
  type CompletionCode,
  OperandId,
  REPORTDATA_BYTES,
  TDREPORT_BYTES,
  TdgLeaf,
} from '../../abi/index.ts';
import { tdReport } from '../report/tdreport.ts';
import { OPERAND_ILLEGAL, OPERAND_UNAVAILABLE, translateOperand } from '../td-exit/ept-violation.ts';
import { addressIn, R8, RCX, RDX } from './guest-registers.ts';
import { goOn, lock } from './locks.ts';
import type { TdcallRow } from './row.ts';

/** Writes a TDREPORT over the guest's REPORTDATA. */
export const tdgMrReport: TdcallRow = {
  leaf: TdgLeaf.MR_REPORT,
  name: 'TDG.MR.REPORT',
  maxVersion: 0,
  operands: 'in: RCX = GPA of the report, 1024-byte aligned, RDX = GPA of REPORTDATA, 64-byte aligned, R8 = sub-type 0',
  source: 'TDX Module 1.5 ABI Definition, "TDG.MR.REPORT Leaf"',
  run(core, vcpu, configuration): CompletionCode {
    const { state } = vcpu.cpu;
    const reportGpa = addressIn(vcpu, RCX);
    const dataGpa = addressIn(vcpu, RDX);
    if (reportGpa % TDREPORT_BYTES !== 0) return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
    if (dataGpa % REPORTDATA_BYTES !== 0) return core.fail(Code.OPERAND_INVALID, OperandId.RDX);
    const dataHpa = translateOperand(core, vcpu, configuration, dataGpa, true, false);
    if (dataHpa === OPERAND_ILLEGAL) return core.fail(Code.OPERAND_INVALID, OperandId.RDX);
    if (dataHpa === OPERAND_UNAVAILABLE) return core.code;
    if (state.low(R8) !== 0 || state.high(R8) !== 0) return core.fail(Code.OPERAND_INVALID, OperandId.R8);
    if (!lock(core, OperandId.RTMR) || !goOn(core, vcpu)) return core.code;
    const reportData = core.memory.u8.slice(dataHpa, dataHpa + REPORTDATA_BYTES);
    const reportHpa = translateOperand(core, vcpu, configuration, reportGpa, true, true);
    if (reportHpa === OPERAND_ILLEGAL) return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
    if (reportHpa === OPERAND_UNAVAILABLE) return core.code;
    core.memory.u8.set(tdReport(vcpu.td, configuration, reportData, core.version, core.secrets), reportHpa);
    core.pageReplaced(reportHpa - (reportHpa % 4096));
    return Code.SUCCESS;
  },
};
