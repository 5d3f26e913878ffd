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
import { nextState, SEPT_STATES, SeptOperation, SeptState } from '../sept/states.ts';
import { leaveForPage } from '../td-exit/ept-violation.ts';
import { goOn, lock } from './locks.ts';
import { pageOperand } from './page-operand.ts';
import type { TdcallRow } from './row.ts';

/** Takes a page the host has given: it is zeroed and becomes the guest's. */
export const tdgMemPageAccept: TdcallRow = {
  leaf: TdgLeaf.MEM_PAGE_ACCEPT,
  name: 'TDG.MEM.PAGE.ACCEPT',
  maxVersion: 0,
  operands: 'in: RCX = GPA | level 0 or 1',
  source: 'TDX Module 1.5 ABI Definition, "TDG.MEM.PAGE.ACCEPT Leaf"',
  run(core, vcpu, configuration): CompletionCode {
    const gpa = pageOperand(core, vcpu, configuration, PageLevel.PAGE_2M);
    if (gpa < 0) return core.code;
    const level = core.pageLevel;
    const sept = configuration.secureEpt;
    const reached = sept.walk(gpa, level);
    const row = SEPT_STATES[sept.state]!;
    if (reached && !lock(core, OperandId.RCX)) return core.code;
    if (row.accessible) return core.fail(Code.PAGE_ALREADY_ACCEPTED, sept.level);
    if (reached && !row.leaf && row.state !== SeptState.FREE) return core.fail(Code.PAGE_SIZE_MISMATCH, sept.level);
    const next = reached ? nextState(row.state, SeptOperation.PAGE_ACCEPT) : -1;
    if (next < 0) {
      core.leaving = true;
      return leaveForPage(core, vcpu, configuration, gpa, level, ExtendedQualification.ACCEPT);
    }
    if (level > PageLevel.PAGE_4K && !goOn(core, vcpu)) return core.code;
    core.zeroPages(sept.hpa, levelBytes(level) / PAGE_SIZE_BYTES);
    sept.setState(gpa, next);
    return Code.SUCCESS;
  },
};
