import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { KeyState } from '../key-ownership.ts';
import { Lifecycle } from '../structures/td.ts';
import { type KeyRow, leafSource } from './row.ts';

/** Frees the TD's key id; what is left can only be reclaimed. */
export const tdhMngKeyFreeid: KeyRow = {
  scope: 'key',
  leaf: TdhLeaf.MNG_KEY_FREEID,
  name: 'TDH.MNG.KEY.FREEID',
  operands: 'in: RCX = TDR HPA',
  source: leafSource('TDH.MNG.KEY.FREEID'),
  tdr: Gpr.RCX,
  run(core, _registers, td) {
    if (td.lifecycle !== Lifecycle.BLOCKED) return core.fail(CompletionCode.LIFECYCLE_STATE_INCORRECT);
    if (core.keys.stateOf(td.keyId) !== KeyState.WRITTEN_BACK) return core.fail(CompletionCode.WBCACHE_NOT_COMPLETE);
    core.keys.set(td.keyId, KeyState.FREE);
    td.lifecycle = Lifecycle.TEARDOWN;
    return CompletionCode.SUCCESS;
  },
};
