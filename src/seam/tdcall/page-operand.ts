import { CompletionCode as Code, levelBytes, OperandId, type PageLevel } from '../../abi/index.ts';
import type { SeamCore } from '../core.ts';
import type { TdConfiguration } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { addressIn, RCX } from './guest-registers.ts';

const RESERVED = 0xff8;

/**
 * RCX as TDG.MEM.PAGE.ACCEPT and ATTR.WR take it: level 2:0 up to `maximum`, a private GPA aligned to it, the rest 0. The level is left
 * in `core.pageLevel`. Returns the GPA, -1 if it is not legal, with `core.code` set.
 */
export function pageOperand(core: SeamCore, vcpu: Vcpu, { sharedBit }: TdConfiguration, maximum: PageLevel): number {
  const operand = addressIn(vcpu, RCX);
  const level = operand % 8;
  const gpa = operand - level;
  const hasReserved = (vcpu.cpu.state.low(RCX) & RESERVED) !== 0;
  if (hasReserved || level > maximum || gpa % levelBytes(level) !== 0 || gpa >= sharedBit) {
    core.fail(Code.OPERAND_INVALID, OperandId.RCX);
    return -1;
  }
  core.pageLevel = level;
  return gpa;
}
