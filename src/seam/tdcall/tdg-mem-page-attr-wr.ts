import {
  CompletionCode as Code,
  type CompletionCode,
  ExtendedQualification,
  OperandId,
  PageLevel,
  TdgLeaf,
} from '../../abi/index.ts';
import type { SeamCore } from '../core.ts';
import { SEPT_STATES, SeptState } from '../sept/states.ts';
import type { TdConfiguration } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { leaveForPage } from '../td-exit/ept-violation.ts';
import { R8, RDX } from './guest-registers.ts';
import { lock } from './locks.ts';
import { hasAttributes, tellNothing, tellPage } from './page-attributes.ts';
import { pageOperand } from './page-operand.ts';
import type { TdcallRow } from './row.ts';

const VIRTUAL_MACHINES = 4;

/** RDX has 16 bits of attributes for each virtual machine, R8 16 of flags. There is only the TD itself, whose are all reserved. */
function illegalAttributes({ cpu: { state } }: Vcpu): number {
  const bitsOf = (register: number, machine: number) =>
    ((machine < 2 ? state.low(register) : state.high(register)) >>> ((machine % 2) * 16)) & 0xffff;
  for (let machine = 0; machine < VIRTUAL_MACHINES; machine++)
    for (const [register, operand] of [
      [RDX, OperandId.RDX],
      [R8, OperandId.R8],
    ] as const)
      if (bitsOf(register, machine) !== 0) return operand;
  return -1;
}

function write(core: SeamCore, vcpu: Vcpu, configuration: TdConfiguration): CompletionCode {
  const illegal = illegalAttributes(vcpu);
  if (illegal >= 0) return core.fail(Code.OPERAND_INVALID, illegal);
  const gpa = pageOperand(core, vcpu, configuration, PageLevel.PAGE_1G);
  if (gpa < 0) return core.code;
  const level = core.pageLevel;
  const sept = configuration.secureEpt;
  if (sept.walk(gpa, level)) {
    if (!lock(core, OperandId.RCX)) return core.code;
    const { leaf, state } = SEPT_STATES[sept.state]!;
    if (!leaf && state !== SeptState.FREE) return core.fail(Code.PAGE_SIZE_MISMATCH, sept.level);
    if (hasAttributes(sept)) return tellPage(vcpu, sept, gpa);
  }
  core.leaving = true;
  return leaveForPage(core, vcpu, configuration, gpa, level, ExtendedQualification.ATTR_WR);
}

/** Would set how a private page is seen by the L2 virtual machines. */
export const tdgMemPageAttrWr: TdcallRow = {
  leaf: TdgLeaf.MEM_PAGE_ATTR_WR,
  name: 'TDG.MEM.PAGE.ATTR.WR',
  maxVersion: 0,
  operands:
    'in: RCX = private GPA | level 0 to 2, RDX = attributes, R8 = masks and flags, 16 bits a virtual machine; out: RCX, RDX as TDG.MEM.PAGE.ATTR.RD',
  source: 'TDX Module 1.5 ABI Definition, "TDG.MEM.PAGE.ATTR.WR Leaf"',
  run(core, vcpu, configuration): CompletionCode {
    const code = write(core, vcpu, configuration);
    if (code !== Code.SUCCESS && !core.leaving) tellNothing(vcpu);
    return code;
  },
};
