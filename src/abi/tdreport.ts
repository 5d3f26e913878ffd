/** TDREPORT_STRUCT, 1024 bytes: what guest, module and quoting service agree on. Source: TDX Module 1.5 ABI Definition, "TDREPORT_STRUCT". */

export const TDREPORT_BYTES = 1024;
export const REPORTDATA_BYTES = 64;
/** REPORTMACSTRUCT: the first part of a report, which ends with the MAC over all of it before the MAC. */
export const REPORTMACSTRUCT_BYTES = 256;
export const TDINFO_BYTES = 512;
/** The processor hashes this much of TEE_TCB_INFO, not its padding. */
export const TEE_TCB_INFO_BYTES = 239;
/** SHA-384, as everything that is measured */
export const DIGEST_BYTES = 48;
export const RTMR_COUNT = 4;

export const REPORT_TYPE_TDX = 0x81;

/** Byte offsets in the whole report. */
export const TDREPORT_LAYOUT = {
  type: 0,
  version: 2,
  cpuSvn: 16,
  teeTcbInfoHash: 32,
  teeInfoHash: 80,
  reportData: 128,
  mac: 224,
  teeTcbInfo: 256,
  teeTcbSvn: 264,
  mrSeam: 280,
  mrSignerSeam: 328,
  seamAttributes: 376,
  teeTcbSvn2: 384,
  tdInfo: 512,
} as const;

/** Byte offsets in TDINFO_STRUCT ("TDINFO_STRUCT"). */
export const TDINFO_LAYOUT = {
  attributes: 0,
  xfam: 8,
  mrtd: 16,
  mrConfigId: 64,
  mrOwner: 112,
  mrOwnerConfig: 160,
  rtmr: 208,
  servtdHash: 400,
} as const;
