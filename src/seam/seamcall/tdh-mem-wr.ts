import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import { SeptOperation } from '../sept/states.ts';
import { OpState } from '../structures/td.ts';
import { debugWord } from './debug-word.ts';
import { ENTRY_OUTPUTS, leafSource, type TdRow } from './row.ts';

/** Writes 8 bytes of a debuggable TD's private memory. */
export const tdhMemWr: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_WR,
  name: 'TDH.MEM.WR',
  operands:
    'in: RCX = GPA, 8-byte aligned, RDX = TDR HPA, R8 = value; out: R8 = previous value, or RCX, RDX = entry and its level and state',
  source: leafSource('TDH.MEM.WR'),
  outputs: [...ENTRY_OUTPUTS, Gpr.R8],
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, td, configuration) {
    const gpa = registers.number(Gpr.RCX);
    const low = registers.low(Gpr.R8);
    const high = registers.high(Gpr.R8);
    registers.zero(ENTRY_OUTPUTS);
    registers.set(Gpr.R8, 0, 0);
    const word = debugWord(core, registers, td, configuration, gpa, SeptOperation.MEM_WR);
    if (word < 0) return core.code;
    configuration.mrtd.gather();
    const { u32 } = core.memory;
    registers.set(Gpr.R8, u32[word]!, u32[word + 1]!);
    u32[word] = low;
    u32[word + 1] = high;
    core.pageReplaced(word * 4 - ((word * 4) % PAGE_SIZE_BYTES));
    return CompletionCode.SUCCESS;
  },
};
