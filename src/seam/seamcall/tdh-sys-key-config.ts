import { CompletionCode, TdhLeaf } from '../../abi/index.ts';
import { SysState } from '../core.ts';
import { leafSource, type SystemRow } from './row.ts';

/** Programs the key of the module's own pages. The platform is one package, so one call makes the module ready. */
export const tdhSysKeyConfig: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SYS_KEY_CONFIG,
  name: 'TDH.SYS.KEY.CONFIG',
  operands: 'none',
  source: leafSource('TDH.SYS.KEY.CONFIG'),
  beforeReady: true,
  run(core) {
    if (core.sysState !== SysState.CONFIG_DONE) return core.fail(CompletionCode.SYS_KEY_CONFIG_NOT_PENDING);
    core.sysState = SysState.READY;
    return CompletionCode.SUCCESS;
  },
};
