import { CompletionCode as Code, type CompletionCode, OperandId, TdgLeaf } from '../../abi/index.ts';
import { extendRtmr } from '../measurement/rtmr.ts';
import { OPERAND_ILLEGAL, OPERAND_UNAVAILABLE, translateOperand } from '../td-exit/ept-violation.ts';
import { addressIn, RCX, RDX } from './guest-registers.ts';
import { lock } from './locks.ts';
import type { TdcallRow } from './row.ts';

const VALUE_BYTES = 48;
const VALUE_ALIGNMENT = 64;

/** RTMR[RDX] := SHA-384(RTMR[RDX] || 48 bytes). */
export const tdgMrRtmrExtend: TdcallRow = {
  leaf: TdgLeaf.MR_RTMR_EXTEND,
  name: 'TDG.MR.RTMR.EXTEND',
  maxVersion: 0,
  operands: 'in: RCX = private GPA of 48 bytes, 64-byte aligned, RDX = register 0 to 3',
  source: 'TDX Module 1.5 ABI Definition, "TDG.MR.RTMR.EXTEND Leaf"',
  run(core, vcpu, configuration): CompletionCode {
    const gpa = addressIn(vcpu, RCX);
    if (gpa % VALUE_ALIGNMENT !== 0) return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
    const hpa = translateOperand(core, vcpu, configuration, gpa, false, false);
    if (hpa === OPERAND_ILLEGAL) return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
    if (hpa === OPERAND_UNAVAILABLE) return core.code;
    const rtmr = vcpu.td.rtmrs[addressIn(vcpu, RDX)];
    if (rtmr === undefined) return core.fail(Code.OPERAND_INVALID, OperandId.RDX);
    if (!lock(core, OperandId.RTMR)) return core.code;
    extendRtmr(rtmr, core.memory.u8.subarray(hpa, hpa + VALUE_BYTES));
    return Code.SUCCESS;
  },
};
