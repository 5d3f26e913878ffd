import { CompletionCode, TdhLeaf } from '../../abi/index.ts';
import { leafSource, type SystemRow } from './row.ts';

/** Does nothing, for any operand: TDH.MNG.VPFLUSHDONE has taken its place. */
export const tdhMngKeyReclaimid: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.MNG_KEY_RECLAIMID,
  name: 'TDH.MNG.KEY.RECLAIMID',
  operands: 'in: RCX = TDR HPA, not looked at',
  source: leafSource('TDH.MNG.KEY.RECLAIMID'),
  run: () => CompletionCode.SUCCESS,
};
