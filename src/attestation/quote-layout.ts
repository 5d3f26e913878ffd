/**
 * TD quotes as byte tables. Source: Intel TDX DCAP Quoting Library API, appendix A.3 "Version 4 Quote Format" and
 * A.4 "Version 5 Quote Format"; learned from go-tdx-guest's abi.go and dcap-qvl's quote.rs.
 */
import { DIGEST_BYTES, TDINFO_LAYOUT, TDREPORT_LAYOUT } from '../abi/index.ts';

export const QuoteVersion = { V4: 4, V5: 5 } as const;
export type QuoteVersion = (typeof QuoteVersion)[keyof typeof QuoteVersion];

export const ATTESTATION_KEY_ECDSA_P256 = 2;
export const TEE_TYPE_TDX = 0x81;

export const QUOTE_HEADER_BYTES = 48;
export const QuoteHeader = {
  version: 0,
  attestationKeyType: 2,
  teeType: 4,
  qeVendorId: 12,
  userData: 28,
} as const;
export const QE_VENDOR_ID_BYTES = 16;
export const USER_DATA_BYTES = 20;

/** Version 5 has a descriptor between header and body: u16 type, u32 size. */
export const BODY_DESCRIPTOR_BYTES = 6;
export const QuoteBodyType = { TD_1_0: 2, TD_1_5: 3 } as const;
export type QuoteBodyType = (typeof QuoteBodyType)[keyof typeof QuoteBodyType];
export const QUOTE_BODY_BYTES: Readonly<Record<QuoteBodyType, number>> = { 2: 584, 3: 648 };

export interface QuoteBodyField {
  readonly name: string;
  /** in the body */
  readonly offset: number;
  readonly bytes: number;
  /** where the same bytes are in a TDREPORT */
  readonly reportOffset: number;
}

const inTdInfo = (offset: number) => TDREPORT_LAYOUT.tdInfo + offset;

/** The body of a TD 1.5; that of a TD 1.0 ends before TEE_TCB_SVN2. */
export const QUOTE_BODY_FIELDS: readonly QuoteBodyField[] = [
  { name: 'TEE_TCB_SVN', offset: 0, bytes: 16, reportOffset: TDREPORT_LAYOUT.teeTcbSvn },
  { name: 'MRSEAM', offset: 16, bytes: DIGEST_BYTES, reportOffset: TDREPORT_LAYOUT.mrSeam },
  { name: 'MRSIGNERSEAM', offset: 64, bytes: DIGEST_BYTES, reportOffset: TDREPORT_LAYOUT.mrSignerSeam },
  { name: 'SEAMATTRIBUTES', offset: 112, bytes: 8, reportOffset: TDREPORT_LAYOUT.seamAttributes },
  { name: 'TDATTRIBUTES', offset: 120, bytes: 8, reportOffset: inTdInfo(TDINFO_LAYOUT.attributes) },
  { name: 'XFAM', offset: 128, bytes: 8, reportOffset: inTdInfo(TDINFO_LAYOUT.xfam) },
  { name: 'MRTD', offset: 136, bytes: DIGEST_BYTES, reportOffset: inTdInfo(TDINFO_LAYOUT.mrtd) },
  { name: 'MRCONFIGID', offset: 184, bytes: DIGEST_BYTES, reportOffset: inTdInfo(TDINFO_LAYOUT.mrConfigId) },
  { name: 'MROWNER', offset: 232, bytes: DIGEST_BYTES, reportOffset: inTdInfo(TDINFO_LAYOUT.mrOwner) },
  { name: 'MROWNERCONFIG', offset: 280, bytes: DIGEST_BYTES, reportOffset: inTdInfo(TDINFO_LAYOUT.mrOwnerConfig) },
  ...[0, 1, 2, 3].map((index) => ({
    name: `RTMR${index}`,
    offset: 328 + index * DIGEST_BYTES,
    bytes: DIGEST_BYTES,
    reportOffset: inTdInfo(TDINFO_LAYOUT.rtmr + index * DIGEST_BYTES),
  })),
  { name: 'REPORTDATA', offset: 520, bytes: 64, reportOffset: TDREPORT_LAYOUT.reportData },
  { name: 'TEE_TCB_SVN2', offset: 584, bytes: 16, reportOffset: TDREPORT_LAYOUT.teeTcbSvn2 },
  { name: 'MRSERVICETD', offset: 600, bytes: DIGEST_BYTES, reportOffset: inTdInfo(TDINFO_LAYOUT.servtdHash) },
];

export const SIGNATURE_BYTES = 64;
export const PUBLIC_KEY_BYTES = 64;
/** What follows the attestation key: a QE report with its own certification data inside, and a chain of PEM certificates in that. */
export const CertificationDataType = { PCK_CHAIN: 5, QE_REPORT: 6 } as const;

/** REPORTBODY of an SGX enclave: what the quoting enclave says of itself. Source: SDM vol. 3D, "REPORT". */
export const ENCLAVE_REPORT_BYTES = 384;
export const EnclaveReport = {
  cpuSvn: 0,
  miscSelect: 16,
  attributes: 48,
  mrEnclave: 64,
  mrSigner: 128,
  isvProdId: 256,
  isvSvn: 258,
  reportData: 320,
} as const;
