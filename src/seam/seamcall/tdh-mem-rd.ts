import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { debugWord } from './debug-word.ts';
import { ENTRY_OUTPUTS, leafSource, type TdRow } from './row.ts';

/** Reads 8 bytes of a debuggable TD's private memory. */
export const tdhMemRd: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_RD,
  name: 'TDH.MEM.RD',
  operands:
    'in: RCX = GPA, 8-byte aligned, RDX = TDR HPA; out: R8 = value, or RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.RD'),
  outputs: [...ENTRY_OUTPUTS, Gpr.R8],
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const gpa = registers.number(Gpr.RCX);
    registers.zero(ENTRY_OUTPUTS);
    registers.set(Gpr.R8, 0, 0);
    const word = debugWord(core, registers, td, configuration, gpa, SeptOperation.MEM_RD);
    if (word < 0) return core.code;
    const { u32 } = core.memory;
    registers.set(Gpr.R8, u32[word]!, u32[word + 1]!);
    return CompletionCode.SUCCESS;
  },
};
