import { CompletionCode, TdhLeaf } from '../../abi/index.ts';
import { leafSource, type SystemRow } from './row.ts';

/** Does nothing, at any time, as in module 1.5. */
export const tdhSysLpShutdown: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SYS_LP_SHUTDOWN,
  name: 'TDH.SYS.LP.SHUTDOWN',
  operands: 'none',
  source: leafSource('TDH.SYS.LP.SHUTDOWN'),
  beforeReady: true,
  run: () => CompletionCode.SUCCESS,
};
