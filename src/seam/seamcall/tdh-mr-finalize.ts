import { sha384 } from '@noble/hashes/sha2.js';

import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { BindingState } from '../structures/service-td.ts';
import { OpState } from '../structures/td.ts';
import { leafSource, type TdRow } from './row.ts';

/** Fixes MRTD and SERVTD_HASH; the TD may run. */
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
    if (td.serviceTd.state !== BindingState.NOT_BOUND) td.serviceTdHash.set(sha384(td.serviceTd.measuredBytes()));
    td.opState = OpState.RUNNABLE;
    return CompletionCode.SUCCESS;
  },
};
