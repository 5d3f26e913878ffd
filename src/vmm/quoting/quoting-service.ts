/**
 * The quoting enclave and the service around it. It runs on the untrusted host, but an enclave keeps its keys from it; we play both. Of
 * the guest it sees the TDREPORT in shared memory, of the platform the door below.
 */
import { sha384 } from '@noble/hashes/sha2.js';
import {
  REPORT_TYPE_TDX,
  REPORTMACSTRUCT_BYTES,
  TDINFO_BYTES,
  TDREPORT_BYTES,
  TDREPORT_LAYOUT,
  TEE_TCB_INFO_BYTES,
} from '../../abi/index.ts';
import {
  ENCLAVE_REPORT_BYTES,
  EnclaveReport,
  encodeQuote,
  QuoteVersion,
  qeReportDataHash,
  quoteSignedBytes,
} from '../../attestation/index.ts';
import { type SigningKey, sign, signingKey } from './issue.ts';
import { QUOTING_ENCLAVE, TestPki } from './test-pki.ts';

/** What the platform's processor does for an enclave. */
export interface QuotingPlatform {
  /** ENCLU[EVERIFYREPORT2]: was this REPORTMACSTRUCT (256 bytes) made on this platform, unchanged? */
  verifyReport(reportMacStruct: Uint8Array): boolean;
  /** ENCLU[EGETKEY]: 32 secret bytes for each purpose, the same whenever asked. */
  enclaveKey(purpose: string): Uint8Array;
}

/** The format's identifier of Intel's quotes; the platform's own name, and that it is a test, are in the 20 bytes behind it. */
const QE_VENDOR_ID = Uint8Array.of(
  0x93,
  0x9a,
  0x72,
  0x33,
  0xf7,
  0x9c,
  0x4c,
  0xa9,
  0x94,
  0x0a,
  0x0d,
  0xb3,
  0x95,
  0x7f,
  0x06,
  0x07,
);
const USER_DATA = new TextEncoder().encode('SEAMULATOR TEST QE\0\0');
const QE_AUTHENTICATION_DATA = new TextEncoder().encode('Seamulator TEST: proves nothing.');
const PPID_BYTES = 16;

export class QuotingService {
  readonly #platform: QuotingPlatform;
  readonly #version: QuoteVersion;
  #enclave: Enclave | undefined;

  constructor(platform: QuotingPlatform, version: QuoteVersion = QuoteVersion.V4) {
    this.#platform = platform;
    this.#version = version;
  }

  /** A quote over a TDREPORT; undefined for anything but a genuine report of this platform. */
  quote(tdReport: Uint8Array): Uint8Array | undefined {
    if (tdReport.length !== TDREPORT_BYTES || tdReport[TDREPORT_LAYOUT.type] !== REPORT_TYPE_TDX) return undefined;
    if (!this.#platform.verifyReport(tdReport.subarray(0, REPORTMACSTRUCT_BYTES))) return undefined;
    if (!hashesMatch(tdReport)) return undefined;
    const cpuSvn = tdReport.slice(TDREPORT_LAYOUT.cpuSvn, TDREPORT_LAYOUT.cpuSvn + 16);
    this.#enclave ??= new Enclave(this.#platform, cpuSvn);
    return this.#enclave.quote(this.#version, tdReport);
  }
}

/** Its keys are made at the first quote: a run that asks for none pays nothing. */
class Enclave {
  readonly #pckKey: SigningKey;
  readonly #attestationKey: SigningKey;
  readonly #cpuSvn: Uint8Array;
  readonly #certificateChain: string;

  constructor(platform: QuotingPlatform, cpuSvn: Uint8Array) {
    this.#pckKey = signingKey(platform.enclaveKey('PCK'));
    this.#attestationKey = signingKey(platform.enclaveKey('attestation key'));
    this.#cpuSvn = cpuSvn;
    const pki = new TestPki();
    const ppid = platform.enclaveKey('PPID').subarray(0, PPID_BYTES);
    this.#certificateChain = pki.chainOf(pki.certifyPlatform(this.#pckKey, { ppid, cpuSvn }));
  }

  quote(version: QuoteVersion, tdReport: Uint8Array): Uint8Array {
    const signedBytes = quoteSignedBytes({ version, qeVendorId: QE_VENDOR_ID, userData: USER_DATA }, tdReport);
    const attestationKey = this.#attestationKey.publicKey.subarray(1);
    const qeReport = this.#report(qeReportDataHash(attestationKey, QE_AUTHENTICATION_DATA));
    return encodeQuote(signedBytes, {
      signature: sign(this.#attestationKey, signedBytes),
      attestationKey,
      qeReport,
      qeReportSignature: sign(this.#pckKey, qeReport),
      qeAuthenticationData: QE_AUTHENTICATION_DATA,
      certificateChain: this.#certificateChain,
    });
  }

  #report(reportData: Uint8Array): Uint8Array {
    const report = new Uint8Array(ENCLAVE_REPORT_BYTES);
    const view = new DataView(report.buffer);
    report.set(this.#cpuSvn, EnclaveReport.cpuSvn);
    report.set(QUOTING_ENCLAVE.attributes, EnclaveReport.attributes);
    report.set(QUOTING_ENCLAVE.mrEnclave, EnclaveReport.mrEnclave);
    report.set(QUOTING_ENCLAVE.mrSigner, EnclaveReport.mrSigner);
    view.setUint16(EnclaveReport.isvProdId, QUOTING_ENCLAVE.isvProdId, true);
    view.setUint16(EnclaveReport.isvSvn, QUOTING_ENCLAVE.isvSvn, true);
    report.set(reportData, EnclaveReport.reportData);
    return report;
  }
}

/** The MAC covers hashes of the two structures behind it; these must be of what is there. */
function hashesMatch(report: Uint8Array): boolean {
  const L = TDREPORT_LAYOUT;
  const matches = (hashOffset: number, offset: number, length: number): boolean => {
    const digest = sha384(report.subarray(offset, offset + length));
    return digest.every((byte, index) => byte === report[hashOffset + index]);
  };
  return matches(L.teeTcbInfoHash, L.teeTcbInfo, TEE_TCB_INFO_BYTES) && matches(L.teeInfoHash, L.tdInfo, TDINFO_BYTES);
}
