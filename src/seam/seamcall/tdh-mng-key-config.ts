import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { Lifecycle } from '../structures/td.ts';
import { type KeyRow, leafSource } from './row.ts';

/** Programs the TD's key. The platform is one package, so one call configures it. */
export const tdhMngKeyConfig: KeyRow = {
  scope: 'key',
  leaf: TdhLeaf.MNG_KEY_CONFIG,
  name: 'TDH.MNG.KEY.CONFIG',
  operands: 'in: RCX = TDR HPA',
  source: leafSource('TDH.MNG.KEY.CONFIG'),
  tdr: Gpr.RCX,
  run(core, _registers, td) {
    if (td.fatal) return core.fail(CompletionCode.TD_FATAL);
    if (td.lifecycle !== Lifecycle.HKID_ASSIGNED) return core.fail(CompletionCode.LIFECYCLE_STATE_INCORRECT);
    td.lifecycle = Lifecycle.KEYS_CONFIGURED;
    return CompletionCode.SUCCESS;
  },
};
