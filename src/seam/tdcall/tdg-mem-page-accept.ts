import {
  CompletionCode as Code,
  type CompletionCode,
  ExtendedQualification,
  levelBytes,
  OperandId,
  PageLevel,
  TdgLeaf,
} from '../../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import { SEPT_STATES, SeptOperation, SeptState } from '../sept/states.ts';
import { leaveForPage } from '../td-exit/ept-violation.ts';
import { addressIn, RCX } from './guest-registers.ts';
import { goOn, lock } from './locks.ts';
import type { TdcallRow } from './row.ts';

const RESERVED = 0xff8;

/** Takes a page the host has given: it is zeroed and becomes the guest's. */
export const tdgMemPageAccept: TdcallRow = {
  leaf: TdgLeaf.MEM_PAGE_ACCEPT,
  name: 'TDG.MEM.PAGE.ACCEPT',
  maxVersion: 0,
  operands: 'in: RCX = GPA | level 0 or 1',
  source: 'TDX Module 1.5 ABI Definition, "TDG.MEM.PAGE.ACCEPT Leaf"',
  run(core, vcpu, configuration): CompletionCode {
    const operand = addressIn(vcpu, RCX);
    const level = operand % 8;
    const gpa = operand - level;
    if (
      (vcpu.cpu.state.low(RCX) & RESERVED) !== 0 ||
      level > PageLevel.PAGE_2M ||
      gpa % levelBytes(level) !== 0 ||
      gpa >= configuration.sharedBit
    )
      return core.fail(Code.OPERAND_INVALID, OperandId.RCX);

    const sept = configuration.secureEpt;
    const reached = sept.walk(gpa, level);
    const row = SEPT_STATES[sept.state]!;
    if (reached && !lock(core, OperandId.RCX)) return core.code;
    if (row.accessible) return core.fail(Code.PAGE_ALREADY_ACCEPTED, sept.level);
    if (reached && !row.leaf && row.state !== SeptState.FREE) return core.fail(Code.PAGE_SIZE_MISMATCH, sept.level);
    const next = reached ? row.transitions[SeptOperation.PAGE_ACCEPT] : undefined;
    if (next === undefined) {
      core.leaving = true;
      return leaveForPage(core, vcpu, configuration, gpa, level, ExtendedQualification.ACCEPT);
    }
    if (level > PageLevel.PAGE_4K && !goOn(core, vcpu)) return core.code;
    core.zeroPages(sept.hpa, levelBytes(level) / PAGE_SIZE_BYTES);
    sept.setState(gpa, next);
    return Code.SUCCESS;
  },
};
