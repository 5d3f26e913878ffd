import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { SysState } from '../core.ts';
import { leafSource, type SystemRow } from './row.ts';

/** Brings a logical processor of the host up. There is one. */
export const tdhSysLpInit: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SYS_LP_INIT,
  name: 'TDH.SYS.LP.INIT',
  operands: 'out: RCX, RDX, R8 = 0: nothing differs from other processors',
  source: leafSource('TDH.SYS.LP.INIT'),
  beforeReady: true,
  run(core, registers) {
    registers.zero([Gpr.RCX, Gpr.RDX, Gpr.R8]);
    if (core.sysState !== SysState.INIT_DONE) return core.fail(CompletionCode.SYS_LP_INIT_NOT_PENDING);
    if (core.processorInitialised) return core.fail(CompletionCode.SYS_LP_INIT_DONE);
    core.processorInitialised = true;
    return CompletionCode.SUCCESS;
  },
};
