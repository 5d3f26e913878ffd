/**
 * The authority that simulated platforms are certified by, in place of Intel's: root, PCK platform CA, signer of TCB statements, and
 * what they say. All of it follows from public text, private keys too, so anybody can sign anything with it: it proves nothing.
 * docs/test-pki.md describes it.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import {
  encodeSgxExtension,
  pemOf,
  type QeIdentity,
  type QuoteCollateral,
  SGX_EXTENSION_OID,
  type TcbInfo,
  type TcbStatus,
} from '../../attestation/index.ts';
import {
  extension,
  type Issued,
  issueCertificate,
  issueRevocationList,
  type Period,
  type Revocable,
  type SigningKey,
  sign,
  signingKey,
} from './issue.ts';

const encoder = new TextEncoder();

/** Long before and after any run; all of it can be narrowed by PkiOptions. */
const VALIDITY: Period = { notBefore: new Date('2025-01-01T00:00:00Z'), notAfter: new Date('2049-12-31T23:59:59Z') };

/** Platform identity: "TEST", 0, 1 where a real one has family, model and stepping. */
export const TEST_FMSPC = Uint8Array.of(0x54, 0x45, 0x53, 0x54, 0, 1);
const PCE_ID = Uint8Array.of(0, 0);
const PCE_SVN = 1;

/** The quoting enclave that we play. */
export const QUOTING_ENCLAVE = {
  mrEnclave: sha256(encoder.encode('Seamulator TEST quoting enclave')),
  mrSigner: sha256(encoder.encode('Seamulator TEST quoting enclave signer')),
  isvProdId: 2,
  isvSvn: 1,
  /** INIT, MODE64BIT, PROVISIONKEY; XFRM: x87 and SSE */
  attributes: Uint8Array.of(0x15, 0, 0, 0, 0, 0, 0, 0, 0x03, 0, 0, 0, 0, 0, 0, 0),
} as const;

export type Statement = 'tcb-info' | 'qe-identity';
export type CertificateName = 'root' | 'platform-ca' | 'tcb-signing' | 'pck';

/** What differs from a healthy world: to see a verifier refuse. */
export interface CollateralOptions {
  readonly revoked?: readonly CertificateName[];
  /** when lists and statements were made, and until when they count */
  readonly period?: Partial<Period>;
  readonly platformStatus?: TcbStatus;
}

export interface PkiOptions {
  /** of the certificates in the chain of the PCK */
  readonly validity?: Partial<Period>;
}

export class TestPki {
  readonly root: Issued;
  readonly platformCa: Issued;
  readonly tcbSigning: Issued;
  readonly #validity: Period;

  constructor(options: PkiOptions = {}) {
    this.#validity = { ...VALIDITY, ...options.validity };
    this.root = issueCertificate(holder('Seamulator TEST Root CA'), undefined, 'root', VALIDITY);
    this.platformCa = issueCertificate(
      holder('Seamulator TEST PCK Platform CA'),
      this.root,
      'authority',
      this.#validity,
    );
    this.tcbSigning = issueCertificate(holder('Seamulator TEST TCB Signing'), this.root, 'leaf', VALIDITY);
  }

  /** Certifies a platform: its provisioning certification key, and what its processor is. */
  certifyPlatform(key: SigningKey, platform: { readonly ppid: Uint8Array; readonly cpuSvn: Uint8Array }): Issued {
    const sgx = encodeSgxExtension({
      ppid: platform.ppid,
      componentSvns: [...platform.cpuSvn],
      pceSvn: PCE_SVN,
      cpuSvn: platform.cpuSvn,
      pceId: PCE_ID,
      fmspc: TEST_FMSPC,
    });
    const subject = { name: 'Seamulator TEST PCK Certificate', key };
    return issueCertificate(subject, this.platformCa, 'leaf', this.#validity, [
      extension(SGX_EXTENSION_OID, false, sgx),
    ]);
  }

  /** PEM as a quote carries it. */
  chainOf(pck: Issued): string {
    return pemOf(pck.der, this.platformCa.der, this.root.der);
  }

  /** What a verifier needs besides a quote; `pck` only where it is to be revoked. */
  collateral(options: CollateralOptions = {}, pck?: Revocable): QuoteCollateral {
    const period: Period = { ...VALIDITY, ...options.period };
    const certificates = { root: this.root, 'platform-ca': this.platformCa, 'tcb-signing': this.tcbSigning, pck };
    const revoked = (...names: readonly CertificateName[]): Revocable[] =>
      names.filter((name) => options.revoked?.includes(name)).map((name) => certificates[name]!);
    const signerChain = pemOf(this.tcbSigning.der, this.root.der);
    const tcbInfo = JSON.stringify(tcbInfoOf(period, options.platformStatus ?? 'UpToDate'));
    const qeIdentity = JSON.stringify(qeIdentityOf(period));
    const signatureOf = (text: string): string => hexOf(sign(this.tcbSigning.key, encoder.encode(text)));
    return {
      pck_crl_issuer_chain: pemOf(this.platformCa.der, this.root.der),
      root_ca_crl: hexOf(issueRevocationList(this.root, revoked('root', 'platform-ca', 'tcb-signing'), period)),
      pck_crl: hexOf(issueRevocationList(this.platformCa, revoked('pck'), period)),
      tcb_info_issuer_chain: signerChain,
      tcb_info: tcbInfo,
      tcb_info_signature: signatureOf(tcbInfo),
      qe_identity_issuer_chain: signerChain,
      qe_identity: qeIdentity,
      qe_identity_signature: signatureOf(qeIdentity),
    };
  }
}

function holder(name: string) {
  return { name, key: signingKey(encoder.encode(`${name}: everybody knows this key`)) };
}

/** MRSIGNERSEAM and the module's attributes are zero, as TDREPORTs of this platform have them. */
const MODULE = { mrsigner: '0'.repeat(96), attributes: '0'.repeat(16), attributesMask: 'F'.repeat(16) };
const TCB_DATE = '2025-01-01T00:00:00Z';

function statement(id: string, version: number, { notBefore, notAfter }: Period) {
  const text = (date: Date): string => date.toISOString().replace('.000Z', 'Z');
  return { id, version, issueDate: text(notBefore), nextUpdate: text(notAfter), tcbEvaluationDataNumber: 1 };
}

function tcbInfoOf(period: Period, tcbStatus: TcbStatus): TcbInfo {
  const components = (svn: number) => Array.from({ length: 16 }, () => ({ svn }));
  const identity = (major: number) => ({
    id: `TDX_0${major}`,
    ...MODULE,
    tcbLevels: [{ tcb: { isvsvn: 1 }, tcbDate: TCB_DATE, tcbStatus: 'UpToDate' as const }],
  });
  return {
    ...statement('TDX', 3, period),
    fmspc: hexOf(TEST_FMSPC).toUpperCase(),
    pceId: hexOf(PCE_ID),
    tcbType: 0,
    tdxModule: MODULE,
    tdxModuleIdentities: [identity(1), identity(2)],
    tcbLevels: [
      {
        tcb: { sgxtcbcomponents: components(1), pcesvn: PCE_SVN, tdxtcbcomponents: components(0) },
        tcbDate: TCB_DATE,
        tcbStatus,
      },
    ],
  };
}

function qeIdentityOf(period: Period): QeIdentity {
  return {
    ...statement('TD_QE', 2, period),
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: `11${'0'.repeat(30)}`,
    attributesMask: `FB${'F'.repeat(14)}${'0'.repeat(16)}`,
    mrsigner: hexOf(QUOTING_ENCLAVE.mrSigner).toUpperCase(),
    isvprodid: QUOTING_ENCLAVE.isvProdId,
    tcbLevels: [{ tcb: { isvsvn: QUOTING_ENCLAVE.isvSvn }, tcbDate: TCB_DATE, tcbStatus: 'UpToDate' }],
  };
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
