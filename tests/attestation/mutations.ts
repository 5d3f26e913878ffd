/** Quotes and worlds around them with exactly one thing wrong: every verifier must refuse each. */
import {
  EnclaveReport,
  parseQuote,
  QUOTE_BODY_FIELDS,
  type QuoteCollateral,
  QuoteVersion,
  readPemChain,
} from '../../src/attestation/index.ts';
import { TestPki } from '../../src/vmm/index.ts';
import type { Verifier } from './verifiers.ts';

export interface Case {
  readonly name: string;
  readonly quote: Uint8Array;
  readonly collateral: QuoteCollateral;
  readonly nowUnixSeconds: number;
}

export const NOW = Date.UTC(2026, 0, 1) / 1000;
const AFTER_ALL = Date.UTC(2050, 0, 2) / 1000;
const BEFORE_ALL = Date.UTC(2024, 11, 31) / 1000;

const HEADER_BYTES = 48;
const SIGNATURE_BYTES = 64;

export function mutationsOf(quote: Uint8Array): Case[] {
  const { version, body, signedBytes, evidence } = parseQuote(quote);
  const pki = new TestPki();
  const collateral = pki.collateral();
  const bodyOffset = version === QuoteVersion.V4 ? HEADER_BYTES : HEADER_BYTES + 6;
  const signature = signedBytes.length + 4;
  const attestationKey = signature + SIGNATURE_BYTES;
  const qeReport = attestationKey + SIGNATURE_BYTES + 6;
  const qeReportSignature = qeReport + 384;
  const authentication = qeReportSignature + SIGNATURE_BYTES + 2;
  const chain = authentication + evidence.qeAuthenticationData.length + 6;
  const certificates = [...evidence.certificateChain.matchAll(/-----BEGIN CERTIFICATE-----\n/g)].map(
    (match) => chain + match.index + match[0].length,
  );

  const flip = (name: string, offset: number): Case => {
    const changed = quote.slice();
    changed[offset]! ^= 1;
    return { name: `one bit of ${name}`, quote: changed, collateral, nowUnixSeconds: NOW };
  };
  const world = (name: string, other: Partial<QuoteCollateral>, nowUnixSeconds = NOW): Case => ({
    name,
    quote,
    collateral: { ...collateral, ...other },
    nowUnixSeconds,
  });
  const flipText = (name: keyof QuoteCollateral, from: string, to: string): Case =>
    world(`${name}: ${from} for ${to}`, { [name]: collateral[name].replace(from, to) });
  const pck = readPemChain(evidence.certificateChain)[0]!;
  const serial = Uint8Array.from(pck.serial.match(/../g)!, (pair) => Number.parseInt(pair, 16));
  const old = { notBefore: new Date('2025-01-01'), notAfter: new Date('2025-12-31') };
  const future = { notBefore: new Date('2027-01-01'), notAfter: new Date('2028-01-01') };
  const { tcb_info, tcb_info_signature, qe_identity, qe_identity_signature } = pki.collateral({ period: old });
  const later = pki.collateral({ period: future });

  return [
    flip('the version', 0),
    flip('the type of the attestation key', 2),
    flip('the TEE type', 4),
    flip('the reserved bytes of the header', 8),
    flip('the QE vendor id', 12),
    flip('the user data', 28),
    ...QUOTE_BODY_FIELDS.filter(({ offset }) => offset < body.length).map(({ name, offset }) =>
      flip(name, bodyOffset + offset),
    ),
    flip('the length of the signature data', signedBytes.length + 1),
    flip('r of the signature', signature),
    flip('s of the signature', signature + 40),
    flip('the attestation key', attestationKey),
    flip('the type of the certification data', qeReport - 6),
    ...Object.entries(EnclaveReport).map(([name, offset]) => flip(`${name} of the quoting enclave`, qeReport + offset)),
    flip("the quoting enclave's signature", qeReportSignature),
    flip('the authentication data', authentication),
    flip('the type of the inner certification data', chain - 6),
    flip('the PCK certificate', certificates[0]! + 400),
    flip("the PCK certificate's issuer", certificates[1]! + 300),
    flip('the root in the quote', certificates[2]! + 300),
    { name: 'a quote cut short', quote: quote.slice(0, -100), collateral, nowUnixSeconds: NOW },
    world('the end of all certificates', {}, AFTER_ALL),
    world('a time before all certificates', {}, BEFORE_ALL),
    world('TCB info out of date', { tcb_info, tcb_info_signature }),
    world('TCB info of the future', { tcb_info: later.tcb_info, tcb_info_signature: later.tcb_info_signature }),
    world('QE identity out of date', { qe_identity, qe_identity_signature }),
    world('QE identity of the future', {
      qe_identity: later.qe_identity,
      qe_identity_signature: later.qe_identity_signature,
    }),
    world('a revoked PCK certificate', pki.collateral({ revoked: ['pck'] }, { serial })),
    world('a revoked platform CA', pki.collateral({ revoked: ['platform-ca'] })),
    world('a revoked signer of TCB info', pki.collateral({ revoked: ['tcb-signing'] })),
    world('a revoked platform', pki.collateral({ platformStatus: 'Revoked' })),
    flipText('tcb_info', 'UpToDate', 'OutOfDate'),
    flipText('tcb_info', '"svn":1', '"svn":0'),
    flipText('qe_identity', '"isvprodid":2', '"isvprodid":3'),
    world('the signature of another statement', { tcb_info_signature: collateral.qe_identity_signature }),
  ];
}

/** The names of cases that pass. */
export function acceptedOf(verifier: Verifier, cases: readonly Case[]): string[] {
  const accepted = cases.filter(({ quote, collateral, nowUnixSeconds }) => {
    try {
      verifier.verify(quote, collateral, nowUnixSeconds);
      return true;
    } catch {
      return false;
    }
  });
  return accepted.map(({ name }) => name);
}
