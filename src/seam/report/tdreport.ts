/** Makes TDREPORTs. Source: TDX Module 1.5 ABI Definition, "TDREPORT_STRUCT", "REPORTMACSTRUCT", "TEE_TCB_INFO", "TDINFO_STRUCT". */
import { sha384 } from '@noble/hashes/sha2.js';

import {
  DIGEST_BYTES,
  type ModuleVersion,
  REPORT_TYPE_TDX,
  RTMR_COUNT,
  TDINFO_BYTES,
  TDINFO_LAYOUT,
  TDREPORT_BYTES,
  TDREPORT_LAYOUT,
  TEE_TCB_INFO_BYTES,
} from '../../abi/index.ts';

import { BindingState } from '../structures/service-td.ts';
import type { Td, TdConfiguration } from '../structures/td.ts';
import { moduleMeasurements } from './module-measurements.ts';
import type { PlatformSecrets } from './platform-secrets.ts';

/** TEE_TCB_INFO.VALID with TEE_TCB_SVN2: a bit for each 8 bytes up to it. */
const TEE_TCB_INFO_VALID = 0x301ffn;

/** REPORTTYPE.VERSION: does SERVTD_HASH count? */
const REPORT_VERSION = 0;
const REPORT_VERSION_WITH_SERVICE_TD = 1;

const L = TDREPORT_LAYOUT;

/** TDINFO_STRUCT: what the TD is and what it measured. */
function tdInfo(td: Td, { params, mrtd }: TdConfiguration): Uint8Array {
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
  bytes.set(td.serviceTdHash, TDINFO_LAYOUT.servtdHash);
  return bytes;
}

/** The parts of TDINFO_STRUCT by the bit of SERVTD_ATTR.IGNORE_TDINFO that leaves them out. Source: module 1.5.01, service_td.h. */
const IGNORED_PARTS: readonly (readonly [offset: number, lengthBytes: number])[] = [
  [TDINFO_LAYOUT.attributes, 8],
  [TDINFO_LAYOUT.xfam, 8],
  [TDINFO_LAYOUT.mrtd, DIGEST_BYTES],
  [TDINFO_LAYOUT.mrConfigId, DIGEST_BYTES],
  [TDINFO_LAYOUT.mrOwner, DIGEST_BYTES],
  [TDINFO_LAYOUT.mrOwnerConfig, DIGEST_BYTES],
  ...Array.from({ length: RTMR_COUNT }, (_, i) => [TDINFO_LAYOUT.rtmr + i * DIGEST_BYTES, DIGEST_BYTES] as const),
  [TDINFO_LAYOUT.servtdHash, DIGEST_BYTES],
];

/** Hash of TDINFO_STRUCT with the parts in `ignored` (a bit each) as zero: what a TD is bound by. */
export function tdInfoHash(td: Td, configuration: TdConfiguration, ignored: number): Uint8Array {
  const bytes = tdInfo(td, configuration);
  IGNORED_PARTS.forEach(([offset, lengthBytes], bit) => {
    if ((ignored & (1 << bit)) !== 0) bytes.fill(0, offset, offset + lengthBytes);
  });
  return sha384(bytes);
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
  report[L.version] = td.serviceTd.state === BindingState.NOT_BOUND ? REPORT_VERSION : REPORT_VERSION_WITH_SERVICE_TD;
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
