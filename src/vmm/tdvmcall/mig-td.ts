/** MigTD: what a migration TD asks of its host. R12 = function 15:0, version 23:16. */
import { TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import type { TdvmcallRow } from './tdvmcall.ts';

/** Known, and never granted: no TD here is bound to another as its migration TD. */
export const migTd: TdvmcallRow = {
  leaf: TdvmcallLeaf.MIG_TD,
  section: 'TDG.VP.VMCALL<MigTD>',
  serve: () => TdvmcallStatus.INVALID_OPERAND,
};
