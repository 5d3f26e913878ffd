/** TDREPORT_STRUCT, 1024 bytes. Source: TDX Module 1.5 ABI Definition, "TDREPORT_STRUCT", "REPORTMACSTRUCT", "TEE_TCB_INFO", "TDINFO_STRUCT". */
import { sha384 } from '@noble/hashes/sha2.js';
import type { ModuleVersion } from '../../abi/index.ts';
import type { Td, TdConfiguration } from '../structures/td.ts';
import { moduleMeasurements } from './module-measurements.ts';
import type { PlatformSecrets } from './platform-secrets.ts';

export const TDREPORT_BYTES = 1024;
export const REPORTDATA_BYTES = 64;
export const TDINFO_BYTES = 512;
/** The processor hashes this much of TEE_TCB_INFO, not its padding. */
export const TEE_TCB_INFO_BYTES = 239;

/** Byte offsets in the whole report. */
export const TDREPORT_LAYOUT = {
  type: 0,
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

/** Byte offsets in TDINFO_STRUCT. */
const TDINFO_LAYOUT = {
  attributes: 0,
  xfam: 8,
  mrtd: 16,
  mrConfigId: 64,
  mrOwner: 112,
  mrOwnerConfig: 160,
  rtmr: 208,
} as const;

const REPORT_TYPE_TDX = 0x81;
/** TEE_TCB_INFO.VALID with TEE_TCB_SVN2: a bit for each 8 bytes up to it. */
const TEE_TCB_INFO_VALID = 0x301ffn;
const DIGEST_BYTES = 48;

const L = TDREPORT_LAYOUT;

/** TDINFO_STRUCT: what the TD is and what it measured. No service TD is bound: SERVTD_HASH is zero. */
export function tdInfo(td: Td, { params }: TdConfiguration): Uint8Array {
  const bytes = new Uint8Array(TDINFO_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(TDINFO_LAYOUT.attributes, params.attributes, true);
  view.setBigUint64(TDINFO_LAYOUT.xfam, params.xfam, true);
  bytes.set(td.mrtdDigest, TDINFO_LAYOUT.mrtd);
  bytes.set(params.mrConfigId, TDINFO_LAYOUT.mrConfigId);
  bytes.set(params.mrOwner, TDINFO_LAYOUT.mrOwner);
  bytes.set(params.mrOwnerConfig, TDINFO_LAYOUT.mrOwnerConfig);
  td.rtmrs.forEach((rtmr, index) => {
    bytes.set(rtmr, TDINFO_LAYOUT.rtmr + index * DIGEST_BYTES);
  });
  return bytes;
}

/** A whole report over `reportData` (64 bytes), with its MAC. */
export function tdReport(
  td: Td,
  configuration: TdConfiguration,
  reportData: Uint8Array,
  version: ModuleVersion,
  secrets: PlatformSecrets,
): Uint8Array {
  const report = new Uint8Array(TDREPORT_BYTES);
  const view = new DataView(report.buffer);
  const { cpuSvn, teeTcbSvn, mrSeam } = moduleMeasurements(version);
  report[L.type] = REPORT_TYPE_TDX;
  report.set(cpuSvn, L.cpuSvn);
  report.set(reportData, L.reportData);
  view.setBigUint64(L.teeTcbInfo, TEE_TCB_INFO_VALID, true);
  report.set(teeTcbSvn, L.teeTcbSvn);
  report.set(mrSeam, L.mrSeam);
  report.set(teeTcbSvn, L.teeTcbSvn2);
  report.set(tdInfo(td, configuration), L.tdInfo);
  report.set(sha384(report.subarray(L.teeTcbInfo, L.teeTcbInfo + TEE_TCB_INFO_BYTES)), L.teeTcbInfoHash);
  report.set(sha384(report.subarray(L.tdInfo, L.tdInfo + TDINFO_BYTES)), L.teeInfoHash);
  report.set(secrets.reportMac(report.subarray(0, L.mac)), L.mac);
  return report;
}
