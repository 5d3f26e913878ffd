/** The SEAMCALL leaves of this module; all others are refused as an unknown RAX. */
import type { SeamcallRow } from './row.ts';
import { tdhMemPageAdd } from './tdh-mem-page-add.ts';
import { tdhMemPageAug } from './tdh-mem-page-aug.ts';
import { tdhMemPageDemote } from './tdh-mem-page-demote.ts';
import { tdhMemPagePromote } from './tdh-mem-page-promote.ts';
import { tdhMemPageRelocate } from './tdh-mem-page-relocate.ts';
import { tdhMemPageRemove } from './tdh-mem-page-remove.ts';
import { tdhMemRangeBlock } from './tdh-mem-range-block.ts';
import { tdhMemRangeUnblock } from './tdh-mem-range-unblock.ts';
import { tdhMemRd } from './tdh-mem-rd.ts';
import { tdhMemSeptAdd } from './tdh-mem-sept-add.ts';
import { tdhMemSeptRd } from './tdh-mem-sept-rd.ts';
import { tdhMemSeptRemove } from './tdh-mem-sept-remove.ts';
import { tdhMemTrack } from './tdh-mem-track.ts';
import { tdhMemWr } from './tdh-mem-wr.ts';
import { tdhMngAddcx } from './tdh-mng-addcx.ts';
import { tdhMngCreate } from './tdh-mng-create.ts';
import { tdhMngInit } from './tdh-mng-init.ts';
import { tdhMngKeyConfig } from './tdh-mng-key-config.ts';
import { tdhMngKeyFreeid } from './tdh-mng-key-freeid.ts';
import { tdhMngKeyReclaimid } from './tdh-mng-key-reclaimid.ts';
import { tdhMngRd } from './tdh-mng-rd.ts';
import { tdhMngVpflushdone } from './tdh-mng-vpflushdone.ts';
import { tdhMngWr } from './tdh-mng-wr.ts';
import { tdhMrExtend } from './tdh-mr-extend.ts';
import { tdhMrFinalize } from './tdh-mr-finalize.ts';
import { tdhPhymemCacheWb } from './tdh-phymem-cache-wb.ts';
import { tdhPhymemPageRdmd } from './tdh-phymem-page-rdmd.ts';
import { tdhPhymemPageReclaim } from './tdh-phymem-page-reclaim.ts';
import { tdhPhymemPageWbinvd } from './tdh-phymem-page-wbinvd.ts';
import { tdhServtdBind } from './tdh-servtd-bind.ts';
import { tdhServtdPrebind } from './tdh-servtd-prebind.ts';
import { tdhSysConfig } from './tdh-sys-config.ts';
import { tdhSysInfo } from './tdh-sys-info.ts';
import { tdhSysInit } from './tdh-sys-init.ts';
import { tdhSysKeyConfig } from './tdh-sys-key-config.ts';
import { tdhSysLpInit } from './tdh-sys-lp-init.ts';
import { tdhSysLpShutdown } from './tdh-sys-lp-shutdown.ts';
import { tdhSysRd } from './tdh-sys-rd.ts';
import { tdhSysRdall } from './tdh-sys-rdall.ts';
import { tdhSysShutdown } from './tdh-sys-shutdown.ts';
import { tdhSysTdmrInit } from './tdh-sys-tdmr-init.ts';
import { tdhSysUpdate } from './tdh-sys-update.ts';
import { tdhVpAddcx } from './tdh-vp-addcx.ts';
import { tdhVpCreate } from './tdh-vp-create.ts';
import { tdhVpEnter } from './tdh-vp-enter.ts';
import { tdhVpFlush } from './tdh-vp-flush.ts';
import { tdhVpInit } from './tdh-vp-init.ts';
import { tdhVpRd } from './tdh-vp-rd.ts';
import { tdhVpWr } from './tdh-vp-wr.ts';

export const SEAMCALL_ROWS: readonly SeamcallRow[] = [
  tdhVpEnter,
  tdhMngAddcx,
  tdhMemPageAdd,
  tdhMemSeptAdd,
  tdhVpAddcx,
  tdhMemPageRelocate,
  tdhMemPageAug,
  tdhMemRangeBlock,
  tdhMngKeyConfig,
  tdhMngCreate,
  tdhVpCreate,
  tdhMngRd,
  tdhMemRd,
  tdhMngWr,
  tdhMemWr,
  tdhMemPageDemote,
  tdhMrExtend,
  tdhMrFinalize,
  tdhVpFlush,
  tdhMngVpflushdone,
  tdhMngKeyFreeid,
  tdhMngInit,
  tdhVpInit,
  tdhMemPagePromote,
  tdhPhymemPageRdmd,
  tdhMemSeptRd,
  tdhVpRd,
  tdhMngKeyReclaimid,
  tdhPhymemPageReclaim,
  tdhMemPageRemove,
  tdhMemSeptRemove,
  tdhSysKeyConfig,
  tdhSysInfo,
  tdhSysInit,
  tdhSysRd,
  tdhSysLpInit,
  tdhSysTdmrInit,
  tdhSysRdall,
  tdhMemTrack,
  tdhMemRangeUnblock,
  tdhPhymemCacheWb,
  tdhPhymemPageWbinvd,
  tdhVpWr,
  tdhSysLpShutdown,
  tdhSysConfig,
  tdhServtdBind,
  tdhServtdPrebind,
  tdhSysShutdown,
  tdhSysUpdate,
];
