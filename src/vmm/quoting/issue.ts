/** Issues X.509 certificates and revocation lists under a test authority (RFC 5280), ECDSA P-256 with SHA-256, deterministic. */
import { p256 } from '@noble/curves/nist.js';
import { sha1 } from '@noble/hashes/legacy.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  CertificateList,
  CRLDistributionPoints,
  CRLNumber,
  DistributionPoint,
  DistributionPointName,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_cRLDistributionPoints,
  id_ce_cRLNumber,
  id_ce_keyUsage,
  id_ce_subjectKeyIdentifier,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  RevokedCertificate,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  TBSCertList,
  Time,
  Validity,
  Version,
} from '@peculiar/asn1-x509';
import { ObjectIdentifier } from 'asn1js';

const Oid = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecPublicKey: '1.2.840.10045.2.1',
  prime256v1: '1.2.840.10045.3.1.7',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
} as const;

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
  extra: readonly Extension[] = [],
): Issued {
  refuseRealName(subject.name);
  const by = issuer ?? subject;
  const serial = serialNumber(`${subject.name} ${by.name}`, subject.key.publicKey);
  const usage =
    purpose === 'leaf'
      ? KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation
      : KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign;
  const constraints = purpose === 'leaf' ? { cA: false } : { cA: true, pathLenConstraint: purpose === 'root' ? 1 : 0 };
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: bufferOf(serial),
    signature: signatureAlgorithm(),
    issuer: nameOf(by.name),
    validity: new Validity({ notBefore, notAfter }),
    subject: nameOf(subject.name),
    subjectPublicKeyInfo: new SubjectPublicKeyInfo({
      algorithm: new AlgorithmIdentifier({
        algorithm: Oid.ecPublicKey,
        parameters: new ObjectIdentifier({ value: Oid.prime256v1 }).toBER(),
      }),
      subjectPublicKey: bufferOf(subject.key.publicKey),
    }),
    extensions: new Extensions([
      authorityKey(by),
      extension(id_ce_cRLDistributionPoints, false, distributionPoint(by)),
      extension(id_ce_subjectKeyIdentifier, false, new SubjectKeyIdentifier(bufferOf(keyIdentifier(subject)))),
      extension(id_ce_keyUsage, true, new KeyUsage(usage)),
      extension(id_ce_basicConstraints, true, new BasicConstraints(constraints)),
      ...extra,
    ]),
  });
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm: signatureAlgorithm(),
    signatureValue: bufferOf(derSignature(by.key, AsnConvert.serialize(tbsCertificate))),
  });
  return { ...subject, serial, der: new Uint8Array(AsnConvert.serialize(certificate)) };
}

/** DER of a list that revokes the given certificates. */
export function issueRevocationList(
  issuer: Holder,
  revoked: readonly Revocable[],
  { notBefore, notAfter }: Period,
): Uint8Array {
  const tbsCertList = new TBSCertList({
    version: Version.v2,
    signature: signatureAlgorithm(),
    issuer: nameOf(issuer.name),
    thisUpdate: new Time(notBefore),
    nextUpdate: new Time(notAfter),
    ...(revoked.length > 0 && {
      revokedCertificates: revoked.map(
        ({ serial }) =>
          new RevokedCertificate({ userCertificate: bufferOf(serial), revocationDate: new Time(notBefore) }),
      ),
    }),
    crlExtensions: [extension(id_ce_cRLNumber, false, new CRLNumber(1)), authorityKey(issuer)],
  });
  const list = new CertificateList({
    tbsCertList,
    signatureAlgorithm: signatureAlgorithm(),
    signature: bufferOf(derSignature(issuer.key, AsnConvert.serialize(tbsCertList))),
  });
  return new Uint8Array(AsnConvert.serialize(list));
}

/** Nothing that we issue may pass for the vendor's. */
function refuseRealName(name: string): void {
  if (!/\bTEST\b/.test(name) || /intel/i.test(name))
    throw new RangeError(
      `a certificate for "${name}" could be taken for a real one: its name must say TEST and not Intel`,
    );
}

export function extension(extnID: string, critical: boolean, value: object | ArrayBuffer): Extension {
  const der = value instanceof ArrayBuffer ? value : AsnConvert.serialize(value);
  return new Extension({ extnID, critical, extnValue: new OctetString(der) });
}

function signatureAlgorithm(): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ algorithm: Oid.ecdsaWithSha256 });
}

function derSignature({ secretKey }: SigningKey, message: ArrayBuffer): Uint8Array {
  return p256.sign(new Uint8Array(message), secretKey, { lowS: false, format: 'der' });
}

function nameOf(commonName: string): Name {
  const part = (type: string, utf8String: string) =>
    new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String }) })]);
  return new Name([part(Oid.commonName, commonName), part(Oid.organization, ORGANIZATION)]);
}

function authorityKey(issuer: Holder): Extension {
  const keyIdentifierOfIssuer = new KeyIdentifier(bufferOf(keyIdentifier(issuer)));
  return extension(
    id_ce_authorityKeyIdentifier,
    false,
    new AuthorityKeyIdentifier({ keyIdentifier: keyIdentifierOfIssuer }),
  );
}

/** RFC 5280, section 4.2.1.2, method 1. */
function keyIdentifier({ key }: Holder): Uint8Array {
  return sha1(key.publicKey);
}

function distributionPoint({ name }: Holder): CRLDistributionPoints {
  const uniformResourceIdentifier = `${CRL_HOST}/${name.replaceAll(' ', '-')}.crl`;
  const fullName = [new GeneralName({ uniformResourceIdentifier })];
  return new CRLDistributionPoints([
    new DistributionPoint({ distributionPoint: new DistributionPointName({ fullName }) }),
  ]);
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
