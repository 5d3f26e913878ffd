/** X.509 certificates and revocation lists as a verifier reads them (RFC 5280); ECDSA P-256 with SHA-256 and nothing else. */
import { p256 } from '@noble/curves/nist.js';
import { AsnConvert } from '@peculiar/asn1-schema';
import { BasicConstraints, Certificate, CertificateList, id_ce_basicConstraints, type Name } from '@peculiar/asn1-x509';
import { decodeSgxExtension, SGX_EXTENSION_OID, type SgxExtension } from './sgx-extension.ts';

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

interface Signed {
  /** "CN=..., O=..." */
  readonly issuer: string;
  /** the bytes the signature is over */
  readonly signedBytes: Uint8Array;
  /** DER */
  readonly signature: Uint8Array;
}

export interface ReadCertificate extends Signed {
  readonly der: Uint8Array;
  readonly subject: string;
  /** hexadecimal */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** uncompressed point */
  readonly publicKey: Uint8Array;
  readonly isCa: boolean;
  readonly sgx: SgxExtension | undefined;
}

export interface ReadRevocationList extends Signed {
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  /** serial numbers, hexadecimal */
  readonly revoked: readonly string[];
}

/** What cannot be read as what it should be: one sentence. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

/** @throws CertificateError */
export function readCertificate(der: Uint8Array): ReadCertificate {
  return reading('a certificate', () => {
    const certificate = AsnConvert.parse(der, Certificate);
    const { tbsCertificate: tbs } = certificate;
    const extension = (oid: string) => tbs.extensions?.find(({ extnID }) => extnID === oid)?.extnValue.buffer;
    const constraints = extension(id_ce_basicConstraints);
    const sgx = extension(SGX_EXTENSION_OID);
    return {
      der,
      subject: nameText(tbs.subject),
      issuer: nameText(tbs.issuer),
      serial: serialText(tbs.serialNumber),
      notBefore: tbs.validity.notBefore.getTime(),
      notAfter: tbs.validity.notAfter.getTime(),
      publicKey: new Uint8Array(tbs.subjectPublicKeyInfo.subjectPublicKey),
      isCa: constraints !== undefined && AsnConvert.parse(constraints, BasicConstraints).cA,
      sgx: sgx === undefined ? undefined : decodeSgxExtension(sgx),
      signedBytes: new Uint8Array(certificate.tbsCertificateRaw!),
      signature: signatureOf(certificate.signatureAlgorithm.algorithm, certificate.signatureValue),
    };
  });
}

/** @throws CertificateError */
export function readRevocationList(der: Uint8Array): ReadRevocationList {
  return reading('a revocation list', () => {
    const list = AsnConvert.parse(der, CertificateList);
    const { tbsCertList: tbs } = list;
    return {
      issuer: nameText(tbs.issuer),
      thisUpdate: tbs.thisUpdate.getTime(),
      nextUpdate: tbs.nextUpdate?.getTime(),
      revoked: (tbs.revokedCertificates ?? []).map(({ userCertificate }) => serialText(userCertificate)),
      signedBytes: new Uint8Array(list.tbsCertListRaw!),
      signature: signatureOf(list.signatureAlgorithm.algorithm, list.signature),
    };
  });
}

/** The certificates of a PEM text, in its order. @throws CertificateError */
export function readPemChain(text: string): ReadCertificate[] {
  return [...text.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g)].map(([, base64]) =>
    readCertificate(reading('PEM', () => bytesOfBase64(base64!.replace(/\s/g, '')))),
  );
}

export function pemOf(...ders: readonly Uint8Array[]): string {
  return ders
    .map((der) => {
      const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g)!;
      return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
    })
    .join('');
}

/** Did the key of `issuer` sign this? The names must fit as well. */
export function isSignedBy(signed: Signed, issuer: ReadCertificate): boolean {
  return signed.issuer === issuer.subject && isSignature(signed.signature, signed.signedBytes, issuer.publicKey, 'der');
}

/** ECDSA P-256 over SHA-256 of `message`; an impossible key or signature is no signature. */
export function isSignature(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
  format: 'compact' | 'der' = 'compact',
): boolean {
  try {
    return p256.verify(signature, message, publicKey, { format, lowS: false });
  } catch {
    return false;
  }
}

function signatureOf(algorithm: string, signature: ArrayBuffer): Uint8Array {
  if (algorithm !== ECDSA_WITH_SHA256) throw new Error(`it is signed with ${algorithm}, not with ECDSA and SHA-256`);
  return new Uint8Array(signature);
}

function nameText(name: Name): string {
  const short: Readonly<Record<string, string>> = {
    '2.5.4.3': 'CN',
    '2.5.4.10': 'O',
    '2.5.4.7': 'L',
    '2.5.4.8': 'ST',
    '2.5.4.6': 'C',
  };
  return name
    .flatMap((relative) => [...relative].map(({ type, value }) => `${short[type] ?? type}=${value.toString()}`))
    .join(', ');
}

function serialText(serial: ArrayBuffer): string {
  return Array.from(new Uint8Array(serial), (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .replace(/^(00)+/, '');
}

function bytesOfBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new CertificateError(`what should be ${what} cannot be read: ${(error as Error).message}`);
  }
}
