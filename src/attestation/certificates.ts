/** X.509 certificates and revocation lists as a verifier reads them (RFC 5280); ECDSA P-256 with SHA-256 and nothing else. */
import { p256 } from '@noble/curves/nist.js';
import {
  type BaseBlock,
  BaseStringBlock,
  BitString,
  Constructed,
  Boolean as DerBoolean,
  Set as DerSet,
  fromBER,
  GeneralizedTime,
  Integer,
  ObjectIdentifier,
  OctetString,
  Sequence,
  UTCTime,
} from 'asn1js';
import { decodeSgxExtension, SGX_EXTENSION_OID, type SgxExtension } from './sgx-extension.ts';

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const BASIC_CONSTRAINTS_OID = '2.5.29.19';
/** [n] of the syntax */
const CONTEXT_CLASS = 3;

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
    const { parts, ...signed } = readSigned(der);
    // the version is there in all but the oldest
    const [serial, , issuer, validity, subject, keyInfo, ...optional] = isTagged(parts[0], 0) ? parts.slice(1) : parts;
    const [notBefore, notAfter] = partsOf(validity).map(timeOf);
    const extensions = extensionsOf(optional.find((part) => isTagged(part, 3)));
    const sgx = extensions.get(SGX_EXTENSION_OID);
    return {
      ...signed,
      der,
      issuer: nameText(issuer),
      subject: nameText(subject),
      serial: serialText(serial),
      notBefore: notBefore!,
      notAfter: notAfter!,
      publicKey: bitsOf(partsOf(keyInfo)[1]),
      isCa: isCa(extensions.get(BASIC_CONSTRAINTS_OID)),
      sgx: sgx === undefined ? undefined : decodeSgxExtension(sgx),
    };
  });
}

/** @throws CertificateError */
export function readRevocationList(der: Uint8Array): ReadRevocationList {
  return reading('a revocation list', () => {
    const { parts, ...signed } = readSigned(der);
    const [, issuer, thisUpdate, ...rest] = parts[0] instanceof Integer ? parts.slice(1) : parts;
    const hasNextUpdate = rest[0] instanceof UTCTime; // GeneralizedTime is one too
    const list = rest[hasNextUpdate ? 1 : 0];
    const entries = list instanceof Sequence ? partsOf(list) : [];
    return {
      ...signed,
      issuer: nameText(issuer),
      thisUpdate: timeOf(thisUpdate),
      nextUpdate: hasNextUpdate ? timeOf(rest[0]) : undefined,
      revoked: entries.map((entry) => serialText(partsOf(entry)[0])),
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

/** The frame that certificates and lists share: what is signed, in parts and as bytes, and the signature. */
function readSigned(der: Uint8Array): { parts: BaseBlock[]; signedBytes: Uint8Array; signature: Uint8Array } {
  const [toBeSigned, algorithm, signature] = partsOf(fromBER(der).result);
  const name = oidText(partsOf(algorithm)[0]);
  if (name !== ECDSA_WITH_SHA256) throw new Error(`it is signed with ${name}, not with ECDSA and SHA-256`);
  const parts = partsOf(toBeSigned);
  return { parts, signedBytes: toBeSigned!.valueBeforeDecodeView, signature: bitsOf(signature) };
}

function partsOf(block: BaseBlock | undefined): BaseBlock[] {
  if (block instanceof Sequence || block instanceof DerSet || block instanceof Constructed)
    return block.valueBlock.value;
  throw new Error('a sequence is missing');
}

function isTagged(block: BaseBlock | undefined, tagNumber: number): boolean {
  return block !== undefined && block.idBlock.tagClass === CONTEXT_CLASS && block.idBlock.tagNumber === tagNumber;
}

function oidText(block: BaseBlock | undefined): string {
  if (block instanceof ObjectIdentifier) return block.valueBlock.toString();
  throw new Error('an object identifier is missing');
}

function bitsOf(block: BaseBlock | undefined): Uint8Array {
  if (block instanceof BitString) return block.valueBlock.valueHexView.slice();
  throw new Error('a bit string is missing');
}

function timeOf(block: BaseBlock | undefined): Date {
  if (block instanceof UTCTime || block instanceof GeneralizedTime) return block.toDate();
  throw new Error('a time is missing');
}

/** The values by object identifier, as DER. */
function extensionsOf(tagged: BaseBlock | undefined): ReadonlyMap<string, Uint8Array> {
  if (tagged === undefined) return new Map();
  return new Map(
    partsOf(partsOf(tagged)[0]).map((extension) => {
      const [id, ...rest] = partsOf(extension);
      const value = rest.at(-1);
      if (!(value instanceof OctetString)) throw new Error('the value of an extension is missing');
      return [oidText(id), value.valueBlock.valueHexView];
    }),
  );
}

function isCa(constraints: Uint8Array | undefined): boolean {
  if (constraints === undefined) return false;
  const [flag] = partsOf(fromBER(constraints).result);
  return flag instanceof DerBoolean && flag.valueBlock.value;
}

const NAME_PARTS: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.10': 'O',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.6': 'C',
};

function nameText(name: BaseBlock | undefined): string {
  return partsOf(name)
    .flatMap(partsOf)
    .map((part) => {
      const [type, value] = partsOf(part);
      const id = oidText(type);
      return `${NAME_PARTS[id] ?? id}=${value instanceof BaseStringBlock ? value.getValue() : ''}`;
    })
    .join(', ');
}

function serialText(block: BaseBlock | undefined): string {
  if (!(block instanceof Integer)) throw new Error('a serial number is missing');
  return Array.from(block.valueBlock.valueHexView, (byte) => byte.toString(16).padStart(2, '0'))
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
