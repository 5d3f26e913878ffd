/** The TDCALL leaves of this module; all others are refused as an unknown RAX. */
import type { TdcallRow } from './row.ts';
import { tdgMemPageAccept } from './tdg-mem-page-accept.ts';
import { tdgMemPageAttrRd } from './tdg-mem-page-attr-rd.ts';
import { tdgMemPageAttrWr } from './tdg-mem-page-attr-wr.ts';
import { tdgMrReport } from './tdg-mr-report.ts';
import { tdgMrRtmrExtend } from './tdg-mr-rtmr-extend.ts';
import { tdgMrVerifyreport } from './tdg-mr-verifyreport.ts';
import { tdgServtdRd } from './tdg-servtd-rd.ts';
import { tdgServtdWr } from './tdg-servtd-wr.ts';
import { tdgSysRd } from './tdg-sys-rd.ts';
import { tdgSysRdall } from './tdg-sys-rdall.ts';
import { tdgVmRd } from './tdg-vm-rd.ts';
import { tdgVmWr } from './tdg-vm-wr.ts';
import { tdgVpCpuidveSet } from './tdg-vp-cpuidve-set.ts';
import { tdgVpEnter } from './tdg-vp-enter.ts';
import { tdgVpInfo } from './tdg-vp-info.ts';
import { tdgVpInvept } from './tdg-vp-invept.ts';
import { tdgVpInvgla } from './tdg-vp-invgla.ts';
import { tdgVpRd } from './tdg-vp-rd.ts';
import { tdgVpVeinfoGet } from './tdg-vp-veinfo-get.ts';
import { tdgVpVmcall } from './tdg-vp-vmcall.ts';
import { tdgVpWr } from './tdg-vp-wr.ts';

export const TDCALL_ROWS: readonly TdcallRow[] = [
  tdgVpVmcall,
  tdgVpInfo,
  tdgMrRtmrExtend,
  tdgVpVeinfoGet,
  tdgMrReport,
  tdgVpCpuidveSet,
  tdgMemPageAccept,
  tdgVmRd,
  tdgVmWr,
  tdgVpRd,
  tdgVpWr,
  tdgSysRd,
  tdgSysRdall,
  tdgServtdRd,
  tdgServtdWr,
  tdgMrVerifyreport,
  tdgMemPageAttrRd,
  tdgMemPageAttrWr,
  tdgVpEnter,
  tdgVpInvept,
  tdgVpInvgla,
];
