import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { KeyState } from '../key-ownership.ts';
import { Lifecycle } from '../structures/td.ts';
import { type KeyRow, leafSource } from './row.ts';

/** No vCPU of the TD can be entered any more. */
export const tdhMngVpflushdone: KeyRow = {
  scope: 'key',
  leaf: TdhLeaf.MNG_VPFLUSHDONE,
  name: 'TDH.MNG.VPFLUSHDONE',
  operands: 'in: RCX = TDR HPA',
  source: leafSource('TDH.MNG.VPFLUSHDONE'),
  tdr: Gpr.RCX,
  run(core, _registers, td) {
    if (td.lifecycle !== Lifecycle.KEYS_CONFIGURED && td.lifecycle !== Lifecycle.HKID_ASSIGNED)
      return core.fail(CompletionCode.LIFECYCLE_STATE_INCORRECT);
    if (td.associatedVcpus > 0) return core.fail(CompletionCode.FLUSHVP_NOT_DONE);
    td.lifecycle = Lifecycle.BLOCKED;
    core.keys.set(td.keyId, KeyState.FLUSHED);
    return CompletionCode.SUCCESS;
  },
};
