import { CompletionCode as Code, type CompletionCode, OperandId, PageLevel, TdgLeaf } from '../../abi/index.ts';
import { leaveForMissingPage } from '../td-exit/ept-violation.ts';
import { addressIn, RCX } from './guest-registers.ts';
import { lock } from './locks.ts';
import { hasAttributes, tellNothing, tellPage } from './page-attributes.ts';
import type { TdcallRow } from './row.ts';

/** Tells how a private page is mapped. */
export const tdgMemPageAttrRd: TdcallRow = {
  leaf: TdgLeaf.MEM_PAGE_ATTR_RD,
  name: 'TDG.MEM.PAGE.ATTR.RD',
  maxVersion: 0,
  operands:
    'in: RCX = private GPA; out: RCX = GPA | level | pending bit 62, RDX = attributes, 16 bits a virtual machine',
  source: 'TDX Module 1.5 ABI Definition, "TDG.MEM.PAGE.ATTR.RD Leaf"',
  run(core, vcpu, configuration): CompletionCode {
    const gpa = addressIn(vcpu, RCX);
    if (gpa >= configuration.sharedBit) {
      tellNothing(vcpu);
      return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
    }
    const sept = configuration.secureEpt;
    sept.walk(gpa, PageLevel.PAGE_4K);
    if (!lock(core, OperandId.RCX)) {
      tellNothing(vcpu);
      return core.code;
    }
    if (hasAttributes(sept)) return tellPage(vcpu, sept, gpa);
    core.leaving = true;
    return leaveForMissingPage(core, vcpu, gpa);
  },
};
