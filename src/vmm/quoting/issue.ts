/** Issues X.509 certificates and revocation lists under a test authority (RFC 5280), ECDSA P-256 with SHA-256, deterministic. */
import { p256 } from '@noble/curves/nist.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { sha512 } from '@noble/hashes/sha2.js';
import {
  type BaseBlock,
  BitString,
  Constructed,
  Boolean as DerBoolean,
  Set as DerSet,
  GeneralizedTime,
  Integer,
  ObjectIdentifier,
  OctetString,
  Primitive,
  Sequence,
  UTCTime,
  Utf8String,
} from 'asn1js';

const Oid = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecPublicKey: '1.2.840.10045.2.1',
  prime256v1: '1.2.840.10045.3.1.7',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  crlDistributionPoints: '2.5.29.31',
  authorityKeyIdentifier: '2.5.29.35',
} as const;

/** RFC 5280, section 4.2.1.3: the bits in use, and how many of the last byte are not. */
const KeyUsage = {
  digitalSignatureAndNonRepudiation: [0xc0, 6],
  certificateAndCrlSign: [0x06, 1],
} as const;
/** [n] of the syntax */
const CONTEXT_CLASS = 3;
/** UTCTime ends where its two digits of the year do (RFC 5280, section 4.1.2.5). */
const FIRST_GENERALIZED_YEAR = 2050;

/** In every name we issue; RFC 2606 keeps the domain from ever existing. */
const ORGANIZATION = 'Seamulator TEST - simulated, proves nothing';
const CRL_HOST = 'https://seamulator-test.invalid';

export interface SigningKey {
  /** 32 bytes */
  readonly secretKey: Uint8Array;
  /** 65 bytes, uncompressed */
  readonly publicKey: Uint8Array;
}

/** A key pair out of a secret: equal secrets, equal keys. */
export function signingKey(secret: Uint8Array): SigningKey {
  const secretKey = p256.utils.randomSecretKey(sha512(secret).subarray(0, 48));
  return { secretKey, publicKey: p256.getPublicKey(secretKey, false) };
}

/** r and s, 64 bytes: RFC 6979, so that equal messages have equal signatures. */
export function sign(key: SigningKey, message: Uint8Array): Uint8Array {
  return p256.sign(message, key.secretKey, { lowS: false });
}

export interface Holder {
  readonly name: string;
  readonly key: SigningKey;
}

/** Revocation lists name serial numbers, nothing else. */
export interface Revocable {
  readonly serial: Uint8Array;
}

export interface Issued extends Holder, Revocable {
  readonly der: Uint8Array;
}

export interface Period {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** What certificates are issued for. */
export type Purpose = 'root' | 'authority' | 'leaf';

/** `issuer` left out: signs itself. Throws a RangeError for a name that could be taken for a real one. */
export function issueCertificate(
  subject: Holder,
  issuer: Holder | undefined,
  purpose: Purpose,
  { notBefore, notAfter }: Period,
  extra: readonly Sequence[] = [],
): Issued {
  refuseRealName(subject.name);
  const by = issuer ?? subject;
  const serial = serialNumber(`${subject.name} ${by.name}`, subject.key.publicKey);
  const isCa = purpose !== 'leaf';
  const usage = KeyUsage[isCa ? 'certificateAndCrlSign' : 'digitalSignatureAndNonRepudiation'];
  const pathLength = new Integer({ value: purpose === 'root' ? 1 : 0 });
  const extensions = [
    authorityKey(by),
    extension(Oid.crlDistributionPoints, false, distributionPoint(by)),
    extension(Oid.subjectKeyIdentifier, false, octets(keyIdentifier(subject))),
    extension(Oid.keyUsage, true, new BitString({ valueHex: bufferOf(Uint8Array.of(usage[0])), unusedBits: usage[1] })),
    extension(Oid.basicConstraints, true, isCa ? sequence(new DerBoolean({ value: true }), pathLength) : sequence()),
    ...extra,
  ];
  const der = signed(
    by,
    tagged(0, new Integer({ value: 2 })), // version 3
    integer(serial),
    signatureAlgorithm(),
    nameOf(by.name),
    sequence(time(notBefore), time(notAfter)),
    nameOf(subject.name),
    sequence(sequence(oid(Oid.ecPublicKey), oid(Oid.prime256v1)), bits(subject.key.publicKey)),
    tagged(3, sequence(...extensions)),
  );
  return { ...subject, serial, der };
}

/** DER of a list that revokes the given certificates. */
export function issueRevocationList(
  issuer: Holder,
  revoked: readonly Revocable[],
  { notBefore, notAfter }: Period,
): Uint8Array {
  const entries = revoked.map(({ serial }) => sequence(integer(serial), time(notBefore)));
  return signed(
    issuer,
    new Integer({ value: 1 }), // version 2
    signatureAlgorithm(),
    nameOf(issuer.name),
    time(notBefore),
    time(notAfter),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    tagged(0, sequence(extension(Oid.crlNumber, false, new Integer({ value: 1 })), authorityKey(issuer))),
  );
}

/** The frame that certificates and lists share: what is signed, how, the signature. */
function signed(by: Holder, ...parts: readonly BaseBlock[]): Uint8Array {
  const toBeSigned = sequence(...parts);
  const message = new Uint8Array(toBeSigned.toBER());
  const signature = p256.sign(message, by.key.secretKey, { lowS: false, format: 'der' });
  return new Uint8Array(sequence(toBeSigned, signatureAlgorithm(), bits(signature)).toBER());
}

/** Nothing that we issue may pass for the vendor's. */
function refuseRealName(name: string): void {
  if (!/\bTEST\b/.test(name) || /intel/i.test(name))
    throw new RangeError(
      `a certificate for "${name}" could be taken for a real one: its name must say TEST and not Intel`,
    );
}

/** An extension of a certificate or a list. */
export function extension(id: string, critical: boolean, value: BaseBlock): Sequence {
  const flag = critical ? [new DerBoolean({ value: true })] : [];
  return sequence(oid(id), ...flag, octets(new Uint8Array(value.toBER())));
}

function nameOf(commonName: string): Sequence {
  const part = (type: string, value: string) => new DerSet({ value: [sequence(oid(type), new Utf8String({ value }))] });
  return sequence(part(Oid.commonName, commonName), part(Oid.organization, ORGANIZATION));
}

function authorityKey(issuer: Holder): Sequence {
  return extension(Oid.authorityKeyIdentifier, false, sequence(taggedBytes(0, keyIdentifier(issuer))));
}

/** RFC 5280, section 4.2.1.2, method 1. */
function keyIdentifier({ key }: Holder): Uint8Array {
  return sha1(key.publicKey);
}

/** A list of one point with one full name, a URI. */
function distributionPoint({ name }: Holder): Sequence {
  const uri = new TextEncoder().encode(`${CRL_HOST}/${name.replaceAll(' ', '-')}.crl`);
  return sequence(sequence(tagged(0, tagged(0, taggedBytes(6, uri)))));
}

function signatureAlgorithm(): Sequence {
  return sequence(oid(Oid.ecdsaWithSha256));
}

function time(date: Date): BaseBlock {
  return date.getUTCFullYear() < FIRST_GENERALIZED_YEAR
    ? new UTCTime({ valueDate: date })
    : new GeneralizedTime({ valueDate: date });
}

function sequence(...value: readonly BaseBlock[]): Sequence {
  return new Sequence({ value: [...value] });
}

function oid(value: string): ObjectIdentifier {
  return new ObjectIdentifier({ value });
}

function integer(bytes: Uint8Array): Integer {
  return new Integer({ valueHex: bufferOf(bytes) });
}

function bits(bytes: Uint8Array): BitString {
  return new BitString({ valueHex: bufferOf(bytes) });
}

function octets(bytes: Uint8Array): OctetString {
  return new OctetString({ valueHex: bufferOf(bytes) });
}

function tagged(tagNumber: number, ...value: readonly BaseBlock[]): Constructed {
  return new Constructed({ idBlock: { tagClass: CONTEXT_CLASS, tagNumber }, value: [...value] });
}

function taggedBytes(tagNumber: number, bytes: Uint8Array): Primitive {
  return new Primitive({ idBlock: { tagClass: CONTEXT_CLASS, tagNumber }, valueHex: bufferOf(bytes) });
}

/** 20 bytes, positive, never with leading zeros. */
function serialNumber(label: string, publicKey: Uint8Array): Uint8Array {
  const serial = sha512(new Uint8Array([...new TextEncoder().encode(label), ...publicKey])).slice(0, 20);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}
