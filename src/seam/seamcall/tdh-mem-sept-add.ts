import { CompletionCode, Gpr, OperandId, PageLevel, type RegisterFile, TdhLeaf } from '../../abi/index.ts';
import { PageType } from '../pamt.ts';
import { SeptOperation, SeptState } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { ENTRY_OUTPUTS, L2_PAGE_OUTPUTS, leafSource, type TdRow } from './row.ts';
import { versionOf } from './version.ts';

/** A table that is there already is left alone, instead of an error. */
const ALLOW_EXISTING = 1;
/** bit 63: the page was not needed */
const UNUSED_HIGH = 0x8000_0000;

const isNull = (registers: RegisterFile, register: Gpr) => (registers.low(register) & registers.high(register)) === -1;

/** Adds a Secure EPT table under a free entry. */
export const tdhMemSeptAdd: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_SEPT_ADD,
  name: 'TDH.MEM.SEPT.ADD',
  operands:
    'in: RCX = GPA | level of the parent entry, RDX = TDR HPA | ALLOW_EXISTING, R8 = table page HPA, version 1: or -1, R9 to R11 = -1; out: RCX, RDX = entry and its level and state, version 1: R8 = -1 if the page was used, with bit 63 if not',
  source: leafSource('TDH.MEM.SEPT.ADD'),
  maxVersion: 1,
  outputs: ENTRY_OUTPUTS,
  tdr: Gpr.RDX,
  handleFlags: { low: ALLOW_EXISTING, high: 0 },
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const sept = configuration.secureEpt;
    const version = versionOf(registers);
    const allowExisting = (registers.low(Gpr.RDX) & ALLOW_EXISTING) !== 0;
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_2M, sept.root.level);
    registers.zero(ENTRY_OUTPUTS);
    if (gpa < 0) return core.code;
    if (core.septOperand(registers, sept, gpa, SeptOperation.MEM_SEPT_ADD) < 0) return core.code;
    const noPage = isNull(registers, Gpr.R8);
    const isFree = sept.state === SeptState.FREE;
    if (noPage && version === 0) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.R8);
    if (isFree ? noPage : !noPage && !allowExisting) {
      core.describeEntry(registers, sept);
      return core.fail(CompletionCode.EPT_ENTRY_STATE_INCORRECT, OperandId.RCX);
    }
    if (isFree && core.pageOperand(registers, Gpr.R8, PageType.NDA) < 0) return core.code;
    const l2Page = version === 0 ? undefined : L2_PAGE_OUTPUTS.find((register) => !isNull(registers, register));
    if (l2Page !== undefined) return core.fail(CompletionCode.OPERAND_INVALID, l2Page);
    if (isFree) {
      const hpa = core.takePage(registers, Gpr.R8, td, PageType.EPT);
      core.pageReplaced(hpa);
      sept.setTable(hpa);
    }
    if (version > 0)
      registers.set(Gpr.R8, isFree ? -1 : registers.low(Gpr.R8), isFree ? -1 : registers.high(Gpr.R8) | UNUSED_HIGH);
    return CompletionCode.SUCCESS;
  },
};
