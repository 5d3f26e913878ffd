/** TDREPORT and quote, from bytes. */

import {
  DIGEST_BYTES,
  REPORT_TYPE_TDX,
  RTMR_COUNT,
  TDINFO_LAYOUT,
  TDREPORT_BYTES,
  TDREPORT_LAYOUT,
  TdAttribute,
  Xfam,
} from '../../abi/index.ts';
import { parseQuote, QUOTE_BODY_FIELDS, type Quote, QuoteFormatError } from '../../attestation/index.ts';
import { hex } from '../../bits/index.ts';
import { bitText } from './bits.ts';
import type { Decoded } from './decoded.ts';

const R = TDREPORT_LAYOUT;
const T = TDINFO_LAYOUT;

function hexBytes(bytes: Uint8Array, offset: number, length: number): string {
  return Array.from(bytes.subarray(offset, offset + length), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function word(bytes: Uint8Array, offset: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(offset, true);
}

/** undefined: these bytes are no TDREPORT_STRUCT of a TD. */
export function decodeTdReport(bytes: Uint8Array): Decoded | undefined {
  if (bytes.length !== TDREPORT_BYTES || bytes[R.type] !== REPORT_TYPE_TDX) return undefined;
  const digest = (offset: number) => hexBytes(bytes, offset, DIGEST_BYTES);
  const attributes = word(bytes, R.tdInfo + T.attributes);
  const xfam = word(bytes, R.tdInfo + T.xfam);
  return {
    kind: 'TDREPORT_STRUCT',
    name: `report of a TD with MRTD ${digest(R.tdInfo + T.mrtd)}`,
    parts: {
      REPORTTYPE: `${hex(bytes[R.type]!)}, sub-type ${bytes[1]}, version ${bytes[2]}`,
      CPUSVN: hexBytes(bytes, R.cpuSvn, 16),
      REPORTDATA: hexBytes(bytes, R.reportData, 64),
      MAC: hexBytes(bytes, R.mac, 32),
      TEE_TCB_SVN: hexBytes(bytes, R.teeTcbSvn, 16),
      MRSEAM: digest(R.mrSeam),
      MRSIGNERSEAM: digest(R.mrSignerSeam),
      ATTRIBUTES: `${hex(attributes)}: ${bitText(attributes, TdAttribute)}`,
      XFAM: `${hex(xfam)}: ${bitText(xfam, Xfam)}`,
      MRTD: digest(R.tdInfo + T.mrtd),
      MRCONFIGID: digest(R.tdInfo + T.mrConfigId),
      MROWNER: digest(R.tdInfo + T.mrOwner),
      MROWNERCONFIG: digest(R.tdInfo + T.mrOwnerConfig),
      ...Object.fromEntries(
        Array.from({ length: RTMR_COUNT }, (_, i) => [`RTMR${i}`, digest(R.tdInfo + T.rtmr + i * DIGEST_BYTES)]),
      ),
      SERVTD_HASH: digest(R.tdInfo + T.servtdHash),
    },
    source: 'TDX Module 1.5 ABI Definition, "TDREPORT_STRUCT"',
  };
}

/** undefined: these bytes are no quote of a TD. */
export function decodeQuote(bytes: Uint8Array): Decoded | undefined {
  let quote: Quote;
  try {
    quote = parseQuote(bytes);
  } catch (error) {
    if (error instanceof QuoteFormatError) return undefined;
    throw error;
  }
  const { version, body, bodyType, evidence, qeVendorId } = quote;
  const fields = QUOTE_BODY_FIELDS.filter(({ offset, bytes: length }) => offset + length <= body.length).map(
    ({ name, offset, bytes: length }) => {
      const text = hexBytes(body, offset, length);
      const bits = name === 'TDATTRIBUTES' ? TdAttribute : name === 'XFAM' ? Xfam : undefined;
      return [name, bits === undefined ? text : `${hex(word(body, offset))}: ${bitText(word(body, offset), bits)}`];
    },
  );
  return {
    kind: 'TD quote',
    name: `version ${version}, body type ${bodyType}, ${bytes.length} bytes`,
    parts: {
      'QE vendor': hexBytes(qeVendorId, 0, qeVendorId.length),
      ...Object.fromEntries(fields),
      signature: hexBytes(evidence.signature, 0, evidence.signature.length),
      'attestation key': hexBytes(evidence.attestationKey, 0, evidence.attestationKey.length),
      'certificate chain': `${evidence.certificateChain.split('BEGIN CERTIFICATE').length - 1} certificates`,
    },
    source: 'Intel TDX DCAP Quoting Library API, appendix A "Quote Format"; its signatures were not checked',
  };
}

/** A TDREPORT or a quote; undefined: neither. */
export function decodeStructure(bytes: Uint8Array): Decoded | undefined {
  return decodeTdReport(bytes) ?? decodeQuote(bytes);
}
