/** Quotes, from their parts to bytes and back. */
import { sha256 } from '@noble/hashes/sha2.js';
import {
  ATTESTATION_KEY_ECDSA_P256,
  BODY_DESCRIPTOR_BYTES,
  CertificationDataType,
  ENCLAVE_REPORT_BYTES,
  PUBLIC_KEY_BYTES,
  QE_VENDOR_ID_BYTES,
  QUOTE_BODY_BYTES,
  QUOTE_BODY_FIELDS,
  QUOTE_HEADER_BYTES,
  QuoteBodyType,
  QuoteHeader,
  QuoteVersion,
  SIGNATURE_BYTES,
  TEE_TYPE_TDX,
  USER_DATA_BYTES,
} from './quote-layout.ts';

export interface Quote {
  readonly version: QuoteVersion;
  readonly qeVendorId: Uint8Array;
  readonly userData: Uint8Array;
  readonly bodyType: QuoteBodyType;
  readonly body: Uint8Array;
  /** header, descriptor if there is one, body: what the attestation key signs */
  readonly signedBytes: Uint8Array;
  readonly evidence: QuoteEvidence;
}

/** The part behind the signed bytes. Signatures are r and s, keys x and y, big-endian. */
export interface QuoteEvidence {
  readonly signature: Uint8Array;
  readonly attestationKey: Uint8Array;
  readonly qeReport: Uint8Array;
  readonly qeReportSignature: Uint8Array;
  readonly qeAuthenticationData: Uint8Array;
  /** PEM: PCK certificate, its issuer, root */
  readonly certificateChain: string;
}

/** Bytes that are no TD quote of a kind known here: one sentence. */
export class QuoteFormatError extends Error {
  override readonly name = 'QuoteFormatError';
}

export interface QuoteHead {
  readonly version: QuoteVersion;
  readonly qeVendorId: Uint8Array;
  readonly userData: Uint8Array;
}

/** The bytes to sign for a TDREPORT. Version 4 carries a body of TD 1.0, version 5 one of TD 1.5. */
export function quoteSignedBytes({ version, qeVendorId, userData }: QuoteHead, tdReport: Uint8Array): Uint8Array {
  const bodyType = version === QuoteVersion.V4 ? QuoteBodyType.TD_1_0 : QuoteBodyType.TD_1_5;
  const descriptorBytes = version === QuoteVersion.V4 ? 0 : BODY_DESCRIPTOR_BYTES;
  const bodyBytes = QUOTE_BODY_BYTES[bodyType];
  const bodyOffset = QUOTE_HEADER_BYTES + descriptorBytes;
  const bytes = new Uint8Array(bodyOffset + bodyBytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(QuoteHeader.version, version, true);
  view.setUint16(QuoteHeader.attestationKeyType, ATTESTATION_KEY_ECDSA_P256, true);
  view.setUint32(QuoteHeader.teeType, TEE_TYPE_TDX, true);
  bytes.set(qeVendorId, QuoteHeader.qeVendorId);
  bytes.set(userData, QuoteHeader.userData);
  if (descriptorBytes !== 0) {
    view.setUint16(QUOTE_HEADER_BYTES, bodyType, true);
    view.setUint32(QUOTE_HEADER_BYTES + 2, bodyBytes, true);
  }
  for (const { offset, bytes: length, reportOffset } of QUOTE_BODY_FIELDS)
    if (offset < bodyBytes) bytes.set(tdReport.subarray(reportOffset, reportOffset + length), bodyOffset + offset);
  return bytes;
}

export function encodeQuote(signedBytes: Uint8Array, evidence: QuoteEvidence): Uint8Array {
  const chain = new TextEncoder().encode(evidence.certificateChain);
  const qeCertification = concat(
    evidence.qeReport,
    evidence.qeReportSignature,
    u16(evidence.qeAuthenticationData.length),
    evidence.qeAuthenticationData,
    u16(CertificationDataType.PCK_CHAIN),
    u32(chain.length),
    chain,
  );
  const signatureData = concat(
    evidence.signature,
    evidence.attestationKey,
    u16(CertificationDataType.QE_REPORT),
    u32(qeCertification.length),
    qeCertification,
  );
  return concat(signedBytes, u32(signatureData.length), signatureData);
}

/** Bytes after the quote, such as the padding of a buffer, are left alone. @throws QuoteFormatError */
export function parseQuote(bytes: Uint8Array): Quote {
  const reader = new Reader(bytes);
  const version = reader.u16();
  if (version !== QuoteVersion.V4 && version !== QuoteVersion.V5)
    throw new QuoteFormatError(`its version is ${version}, not 4 or 5`);
  const keyType = reader.u16();
  if (keyType !== ATTESTATION_KEY_ECDSA_P256)
    throw new QuoteFormatError(
      `its attestation key is of type ${keyType}, not ${ATTESTATION_KEY_ECDSA_P256}, ECDSA P-256`,
    );
  const teeType = reader.u32();
  if (teeType !== TEE_TYPE_TDX)
    throw new QuoteFormatError(`it comes from a TEE of type 0x${teeType.toString(16)}, not 0x81, TDX`);
  reader.take(QuoteHeader.qeVendorId - QuoteHeader.teeType - 4);
  const qeVendorId = reader.take(QE_VENDOR_ID_BYTES);
  const userData = reader.take(USER_DATA_BYTES);
  const bodyType = version === QuoteVersion.V4 ? QuoteBodyType.TD_1_0 : readDescriptor(reader);
  const body = reader.take(QUOTE_BODY_BYTES[bodyType]);
  const signedBytes = bytes.slice(0, reader.offset);
  return {
    version,
    qeVendorId,
    userData,
    bodyType,
    body,
    signedBytes,
    evidence: readEvidence(reader.part(reader.u32())),
  };
}

/** A field of the body by its name in QUOTE_BODY_FIELDS; undefined where this body has no such field. */
export function quoteField({ body }: Pick<Quote, 'body'>, name: string): Uint8Array | undefined {
  const field = QUOTE_BODY_FIELDS.find((one) => one.name === name);
  if (field === undefined || field.offset + field.bytes > body.length) return undefined;
  return body.subarray(field.offset, field.offset + field.bytes);
}

/** What the quoting enclave puts into the first half of its REPORTDATA: the promise that the attestation key is its own. */
export function qeReportDataHash(attestationKey: Uint8Array, qeAuthenticationData: Uint8Array): Uint8Array {
  return sha256(concat(attestationKey, qeAuthenticationData));
}

function readDescriptor(reader: Reader): QuoteBodyType {
  const type = reader.u16();
  const size = reader.u32();
  if (type !== QuoteBodyType.TD_1_0 && type !== QuoteBodyType.TD_1_5)
    throw new QuoteFormatError(`its body is of type ${type}, not 2 or 3, a TD`);
  if (size !== QUOTE_BODY_BYTES[type]) throw new QuoteFormatError(`its body of type ${type} has ${size} bytes`);
  return type;
}

function readEvidence(reader: Reader): QuoteEvidence {
  const signature = reader.take(SIGNATURE_BYTES);
  const attestationKey = reader.take(PUBLIC_KEY_BYTES);
  const inner = readCertificationData(reader, CertificationDataType.QE_REPORT);
  const qeReport = inner.take(ENCLAVE_REPORT_BYTES);
  const qeReportSignature = inner.take(SIGNATURE_BYTES);
  const qeAuthenticationData = inner.take(inner.u16());
  const chain = readCertificationData(inner, CertificationDataType.PCK_CHAIN);
  const certificateChain = new TextDecoder().decode(chain.take(chain.left));
  return { signature, attestationKey, qeReport, qeReportSignature, qeAuthenticationData, certificateChain };
}

function readCertificationData(reader: Reader, wanted: number): Reader {
  const type = reader.u16();
  if (type !== wanted)
    throw new QuoteFormatError(`it holds certification data of type ${type} where ${wanted} belongs`);
  return reader.part(reader.u32());
}

class Reader {
  readonly #bytes: Uint8Array;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.offset;
  }

  take(length: number): Uint8Array {
    if (length > this.left)
      throw new QuoteFormatError(`it ends after ${this.#bytes.length} bytes, in the middle of a field`);
    const part = this.#bytes.slice(this.offset, this.offset + length);
    this.offset += length;
    return part;
  }

  part(length: number): Reader {
    return new Reader(this.take(length));
  }

  u16(): number {
    const [low, high] = this.take(2);
    return low! | (high! << 8);
  }

  u32(): number {
    return this.u16() + this.u16() * 0x1_0000;
  }
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

function u32(value: number): Uint8Array {
  return concat(u16(value & 0xffff), u16(value >>> 16));
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
