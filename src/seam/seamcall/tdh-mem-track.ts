import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { OpState } from '../structures/td.ts';
import { leafSource, type TdRow } from './row.ts';

/** Starts a new TLB epoch: every vCPU forgets its translations at its next entry. No vCPU runs while the host calls, so none holds the old epoch. */
export const tdhMemTrack: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MEM_TRACK,
  name: 'TDH.MEM.TRACK',
  operands: 'in: RCX = TDR HPA',
  source: leafSource('TDH.MEM.TRACK'),
  tdr: Gpr.RCX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(_core, _registers, td) {
    td.epoch++;
    return CompletionCode.SUCCESS;
  },
};
