import { CompletionCode, TdhLeaf } from '../../abi/index.ts';
import { SysState } from '../core.ts';
import { leafSource, type SystemRow } from './row.ts';

/** Takes over the TDs of the module before, instead of TDH.SYS.CONFIG and what follows it. */
export const tdhSysUpdate: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SYS_UPDATE,
  name: 'TDH.SYS.UPDATE',
  operands: 'none',
  source: leafSource('TDH.SYS.UPDATE'),
  beforeReady: true,
  run(core) {
    if (core.sysState !== SysState.INIT_DONE || !core.processorInitialised)
      return core.fail(CompletionCode.SYS_STATE_INCORRECT);
    if (!core.handoffValid) return core.fail(CompletionCode.SYS_INVALID_HANDOFF);
    core.handoffValid = false;
    core.sysState = SysState.READY;
    return CompletionCode.SUCCESS;
  },
};
