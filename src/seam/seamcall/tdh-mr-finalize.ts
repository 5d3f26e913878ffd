import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { OpState } from '../structures/td.ts';
import { leafSource, type TdRow } from './row.ts';

/** Fixes MRTD; the TD may run. */
export const tdhMrFinalize: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.MR_FINALIZE,
  name: 'TDH.MR.FINALIZE',
  operands: 'in: RCX = TDR HPA',
  source: leafSource('TDH.MR.FINALIZE'),
  tdr: Gpr.RCX,
  states: [OpState.INITIALIZED],
  run(core, _registers, td, configuration) {
    if (td.vcpus.length === 0) return core.fail(CompletionCode.NO_VCPUS);
    configuration.mrtd.finalize();
    td.opState = OpState.RUNNABLE;
    return CompletionCode.SUCCESS;
  },
};
