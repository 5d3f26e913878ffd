/** Makes TDREPORTs. Source: TDX Module 1.5 ABI Definition, "TDREPORT_STRUCT", "REPORTMACSTRUCT", "TEE_TCB_INFO", "TDINFO_STRUCT". */
import { sha384 } from '@noble/hashes/sha2.js';

import {
  DIGEST_BYTES,
  type ModuleVersion,
  REPORT_TYPE_TDX,
  TDINFO_BYTES,
  TDINFO_LAYOUT,
  TDREPORT_BYTES,
  TDREPORT_LAYOUT,
  TEE_TCB_INFO_BYTES,
} from '../../abi/index.ts';

import type { Td, TdConfiguration } from '../structures/td.ts';
import { moduleMeasurements } from './module-measurements.ts';
import type { PlatformSecrets } from './platform-secrets.ts';

/** TEE_TCB_INFO.VALID with TEE_TCB_SVN2: a bit for each 8 bytes up to it. */
const TEE_TCB_INFO_VALID = 0x301ffn;

const L = TDREPORT_LAYOUT;

/** TDINFO_STRUCT: what the TD is and what it measured. No service TD is bound: SERVTD_HASH is zero. */
export function tdInfo(td: Td, { params, mrtd }: TdConfiguration): Uint8Array {
  const bytes = new Uint8Array(TDINFO_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(TDINFO_LAYOUT.attributes, params.attributes, true);
  view.setBigUint64(TDINFO_LAYOUT.xfam, params.xfam, true);
  bytes.set(mrtd.digest, TDINFO_LAYOUT.mrtd);
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
