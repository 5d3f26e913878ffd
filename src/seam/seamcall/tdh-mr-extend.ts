import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { PAGE_SHIFT, PageContent } from '../../memory/index.ts';
import { EXTEND_CHUNK_BYTES } from '../measurement/mrtd.ts';
import { nextState, SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { ENTRY_OUTPUTS, leafSource, type TdRow } from './row.ts';

/** Measures 256 bytes of an added page into MRTD. */
export const tdhMrExtend: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MR_EXTEND,
  name: 'TDH.MR.EXTEND',
  operands: 'in: RCX = GPA of 256 bytes, RDX = TDR HPA; out: RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MR.EXTEND'),
  outputs: ENTRY_OUTPUTS,
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED],
  run(core, registers, _td, configuration) {
    const gpa = registers.number(Gpr.RCX);
    const isAligned = registers.low(Gpr.RCX) % EXTEND_CHUNK_BYTES === 0;
    registers.zero(ENTRY_OUTPUTS);
    if (!isAligned || gpa >= configuration.sharedBit) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.RCX);
    const sept = configuration.secureEpt;
    if (!sept.walkToLeaf(gpa) || nextState(sept.state, SeptOperation.MR_EXTEND) < 0) {
      core.describeEntry(registers, sept);
      return core.fail(CompletionCode.EPT_ENTRY_NOT_PRESENT, OperandId.RCX);
    }
    const hpa = sept.hpaOf(gpa);
    const isZero = core.memory.writtenPage[hpa >>> PAGE_SHIFT] === PageContent.GivenZeros;
    configuration.mrtd.extend(gpa, hpa, isZero);
    return CompletionCode.SUCCESS;
  },
};
