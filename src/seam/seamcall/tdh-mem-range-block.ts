import { CompletionCode, Gpr, OperandId, PageLevel, TdhLeaf } from '../../abi/index.ts';
import { SEPT_STATES, SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { ENTRY_OUTPUTS, leafSource, type TdRow } from './row.ts';

/** Blocks new translations through an entry. Old ones live on until TDH.MEM.TRACK and the next entry of each vCPU. */
export const tdhMemRangeBlock: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_RANGE_BLOCK,
  name: 'TDH.MEM.RANGE.BLOCK',
  operands: 'in: RCX = GPA | level, RDX = TDR HPA; out: RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.RANGE.BLOCK'),
  outputs: ENTRY_OUTPUTS,
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const sept = configuration.secureEpt;
    const gpa = core.pageInfo(registers, configuration, PageLevel.PAGE_4K, sept.root.level);
    registers.zero(ENTRY_OUTPUTS);
    if (gpa < 0) return core.code;
    const next = core.septOperand(registers, sept, gpa, SeptOperation.MEM_RANGE_BLOCK);
    if (next < 0) {
      if (core.code === CompletionCode.EPT_ENTRY_STATE_INCORRECT && SEPT_STATES[sept.state]!.blocked)
        return core.fail(CompletionCode.GPA_RANGE_ALREADY_BLOCKED, OperandId.RCX);
      return core.code;
    }
    core.pamt.setBlockEpoch(sept.hpa, td.epoch);
    sept.setState(gpa, next);
    return CompletionCode.SUCCESS;
  },
};
