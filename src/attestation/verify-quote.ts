/**
 * Is a quote what it claims to be? Every step that a relying party takes, in order, from the bytes to the platform's security version.
 * Source: Intel SGX ECDSA Quote Verification, "Quote Verification Flow"; learned from dcap-qvl's verify.rs and go-tdx-guest's verify.go.
 */
import { bytesEqual } from '../bits/index.ts';
import {
  CertificateError,
  isSignature,
  isSignedBy,
  type ReadCertificate,
  type ReadRevocationList,
  readPemChain,
  readRevocationList,
} from './certificates.ts';
import { type QeIdentity, type QuoteCollateral, TCB_STATUSES, type TcbInfo, type TcbStatus } from './collateral.ts';
import { parseQuote, type Quote, QuoteFormatError, qeReportDataHash, quoteField } from './quote.ts';
import { EnclaveReport } from './quote-layout.ts';

export interface VerifyOptions {
  readonly collateral: QuoteCollateral;
  /** the certificate that everything must lead to */
  readonly root: ReadCertificate;
  readonly nowUnixSeconds: number;
}

/** One step: passed, or the sentence that says why not. Steps after one that failed are not taken. */
export interface VerifyStep {
  readonly name: string;
  readonly complaint?: string;
}

export interface Verdict {
  readonly accepted: boolean;
  readonly steps: readonly VerifyStep[];
  /** undefined where the bytes are no quote */
  readonly quote: Quote | undefined;
  /** the worse of platform, module and quoting enclave; undefined where it did not come to that */
  readonly tcbStatus: TcbStatus | undefined;
}

/** ATTRIBUTES.DEBUG of a TD, and of an enclave */
const TD_DEBUG = 1;
const ENCLAVE_DEBUG = 2;

export function verifyQuote(bytes: Uint8Array, options: VerifyOptions): Verdict {
  const verification = new Verification(bytes, options);
  const steps: VerifyStep[] = [];
  for (const [name, step] of verification.steps) {
    try {
      step();
      steps.push({ name });
    } catch (error) {
      const isOurs =
        error instanceof Refusal ||
        error instanceof QuoteFormatError ||
        error instanceof CertificateError ||
        error instanceof SyntaxError;
      if (!isOurs) throw error;
      steps.push({ name, complaint: error.message });
      return { accepted: false, steps, quote: verification.quote, tcbStatus: undefined };
    }
  }
  return { accepted: true, steps, quote: verification.quote, tcbStatus: verification.tcbStatus };
}

class Refusal extends Error {}

function demand(condition: unknown, complaint: string): asserts condition {
  if (!condition) throw new Refusal(complaint);
}

class Verification {
  readonly #bytes: Uint8Array;
  readonly #collateral: QuoteCollateral;
  readonly #root: ReadCertificate;
  readonly #now: Date;
  readonly #lists: ReadRevocationList[] = [];
  quote: Quote | undefined;
  tcbStatus: TcbStatus = TCB_STATUSES[0];
  #pck!: ReadCertificate;
  #tcbInfo!: TcbInfo;
  #qeIdentity!: QeIdentity;

  constructor(bytes: Uint8Array, { collateral, root, nowUnixSeconds }: VerifyOptions) {
    this.#bytes = bytes;
    this.#collateral = collateral;
    this.#root = root;
    this.#now = new Date(nowUnixSeconds * 1000);
  }

  readonly steps: readonly (readonly [name: string, step: () => void])[] = [
    ['format', () => void (this.quote = parseQuote(this.#bytes))],
    ['revocation lists', () => this.#readLists()],
    ['PCK certificate chain', () => void (this.#pck = this.#chain(this.#evidence.certificateChain, 'the quote'))],
    ['TCB info', () => void (this.#tcbInfo = this.#statement<TcbInfo>('tcb_info', 'TDX', [3]))],
    ['QE identity', () => void (this.#qeIdentity = this.#statement<QeIdentity>('qe_identity', 'TD_QE', [2]))],
    ['QE report signature', () => this.#qeReportSignature()],
    ['attestation key', () => this.#attestationKey()],
    ['quote signature', () => this.#quoteSignature()],
    ['quoting enclave', () => this.#quotingEnclave()],
    ['platform', () => this.#platform()],
    ['TDX module', () => this.#module()],
    ['TD attributes', () => this.#attributes()],
  ];

  get #evidence() {
    return this.quote!.evidence;
  }

  #readLists(): void {
    const issuers = [...readPemChain(this.#collateral.pck_crl_issuer_chain), this.#root];
    for (const name of ['root_ca_crl', 'pck_crl'] as const) {
      const list = readRevocationList(bytesOfHex(this.#collateral[name]));
      demand(
        issuers.some((issuer) => isSignedBy(list, issuer)),
        `${name} is not signed by the issuer it names`,
      );
      demand(list.thisUpdate <= this.#now, `${name} is of the future`);
      demand(list.nextUpdate === undefined || this.#now <= list.nextUpdate, `${name} is out of date`);
      this.#lists.push(list);
    }
    this.#refuseRevoked(this.#root);
    for (const issuer of issuers) this.#valid(issuer);
  }

  /** From the first certificate of a PEM text to our root; returns the first. */
  #chain(pem: string, of: string): ReadCertificate {
    const chain = readPemChain(pem);
    const [leaf] = chain;
    demand(leaf !== undefined, `there is no certificate in ${of}`);
    demand(!leaf.isCa, `the first certificate of ${of} is one that issues others`);
    chain.forEach((certificate, index) => {
      const issuer = chain[index + 1] ?? this.#root;
      demand(issuer.isCa, `"${issuer.subject}" may not issue certificates`);
      demand(isSignedBy(certificate, issuer), `"${certificate.subject}" is not signed by "${issuer.subject}"`);
      this.#valid(certificate);
    });
    return leaf;
  }

  #valid(certificate: ReadCertificate): void {
    demand(certificate.notBefore <= this.#now, `"${certificate.subject}" is not valid yet`);
    demand(this.#now <= certificate.notAfter, `"${certificate.subject}" has expired`);
    this.#refuseRevoked(certificate);
  }

  #refuseRevoked({ subject, issuer, serial }: ReadCertificate): void {
    const isRevoked = this.#lists.some((list) => list.issuer === issuer && list.revoked.includes(serial));
    demand(!isRevoked, `"${subject}" is revoked`);
  }

  /** A signed JSON text of the collateral. */
  #statement<T extends TcbInfo | QeIdentity>(name: 'tcb_info' | 'qe_identity', id: string, versions: number[]): T {
    const text = this.#collateral[name];
    const signer = this.#chain(this.#collateral[`${name}_issuer_chain`], `${name}_issuer_chain`);
    const signature = bytesOfHex(this.#collateral[`${name}_signature`]);
    demand(
      isSignature(signature, new TextEncoder().encode(text), signer.publicKey),
      `the signature of ${name} is wrong`,
    );
    const statement = JSON.parse(text) as T;
    demand(statement.id === id && versions.includes(statement.version), `${name} is not about ${id}`);
    demand(new Date(statement.issueDate) <= this.#now, `${name} is of the future`);
    demand(this.#now <= new Date(statement.nextUpdate), `${name} is out of date`);
    return statement;
  }

  #qeReportSignature(): void {
    const { qeReport, qeReportSignature } = this.#evidence;
    demand(
      isSignature(qeReportSignature, qeReport, this.#pck.publicKey),
      'the PCK did not sign this report of the quoting enclave',
    );
  }

  #attestationKey(): void {
    const { attestationKey, qeAuthenticationData, qeReport } = this.#evidence;
    const promised = qeReport.subarray(EnclaveReport.reportData, EnclaveReport.reportData + 64);
    const expected = new Uint8Array(64);
    expected.set(qeReportDataHash(attestationKey, qeAuthenticationData));
    demand(bytesEqual(promised, expected), 'the quoting enclave did not report this attestation key');
  }

  #quoteSignature(): void {
    const { attestationKey, signature } = this.#evidence;
    const key = new Uint8Array([4, ...attestationKey]);
    demand(
      isSignature(signature, this.quote!.signedBytes, key),
      'the attestation key did not sign this header and body',
    );
  }

  #quotingEnclave(): void {
    const { qeReport } = this.#evidence;
    const identity = this.#qeIdentity;
    const field = (offset: number, length: number) => qeReport.subarray(offset, offset + length);
    const view = new DataView(qeReport.buffer, qeReport.byteOffset);
    demand((qeReport[EnclaveReport.attributes]! & ENCLAVE_DEBUG) === 0, 'the quoting enclave is a debug enclave');
    demand(
      bytesEqual(field(EnclaveReport.mrSigner, 32), bytesOfHex(identity.mrsigner)),
      'the quoting enclave has another signer',
    );
    demand(
      view.getUint16(EnclaveReport.isvProdId, true) === identity.isvprodid,
      'the quoting enclave is another product',
    );
    demand(
      equalMasked(field(EnclaveReport.miscSelect, 4), identity.miscselect, identity.miscselectMask),
      'MISCSELECT of the quoting enclave is not as it should be',
    );
    demand(
      equalMasked(field(EnclaveReport.attributes, 16), identity.attributes, identity.attributesMask),
      'the attributes of the quoting enclave are not as they should be',
    );
    const svn = view.getUint16(EnclaveReport.isvSvn, true);
    this.#level(
      'the quoting enclave',
      identity.tcbLevels.find(({ tcb }) => svn >= tcb.isvsvn),
    );
  }

  #platform(): void {
    const { sgx } = this.#pck;
    const tcbInfo = this.#tcbInfo;
    demand(sgx !== undefined, 'the PCK certificate does not say which platform it is for');
    demand(bytesEqual(sgx.fmspc, bytesOfHex(tcbInfo.fmspc)), 'the TCB info is for another kind of platform (FMSPC)');
    demand(
      bytesEqual(sgx.pceId, bytesOfHex(tcbInfo.pceId)),
      'the TCB info is for another provisioning enclave (PCE id)',
    );
    const teeTcbSvn = this.#field('TEE_TCB_SVN');
    // a module with a major version has an identity of its own for the first two
    const skipped = teeTcbSvn[1]! > 0 ? 2 : 0;
    const level = tcbInfo.tcbLevels.find(
      ({ tcb }) =>
        sgx.pceSvn >= tcb.pcesvn &&
        tcb.sgxtcbcomponents.every(({ svn }, index) => sgx.componentSvns[index]! >= svn) &&
        tcb.tdxtcbcomponents.every(({ svn }, index) => index < skipped || teeTcbSvn[index]! >= svn),
    );
    this.#level('the platform', level);
  }

  #module(): void {
    const { tdxModule, tdxModuleIdentities } = this.#tcbInfo;
    const [svn, major] = this.#field('TEE_TCB_SVN');
    const id = `TDX_${major!.toString(16).padStart(2, '0')}`;
    const identity = major === 0 ? undefined : tdxModuleIdentities.find((one) => one.id === id);
    demand(major === 0 || identity !== undefined, `the TCB info knows no module ${id}`);
    const { mrsigner, attributes, attributesMask } = identity ?? tdxModule;
    demand(bytesEqual(this.#field('MRSIGNERSEAM'), bytesOfHex(mrsigner)), 'the TDX module has another signer');
    demand(
      equalMasked(this.#field('SEAMATTRIBUTES'), attributes, attributesMask),
      'the attributes of the TDX module are not as they should be',
    );
    if (identity !== undefined)
      this.#level(
        'the TDX module',
        identity.tcbLevels.find(({ tcb }) => svn! >= tcb.isvsvn),
      );
  }

  #attributes(): void {
    demand((this.#field('TDATTRIBUTES')[0]! & TD_DEBUG) === 0, 'the TD is a debug TD: its host can read it');
  }

  #field(name: string): Uint8Array {
    return quoteField(this.quote!, name)!;
  }

  #level(of: string, level: { readonly tcbStatus: TcbStatus } | undefined): void {
    demand(level !== undefined, `${of} is older than all that the collateral knows`);
    const rank = (status: TcbStatus) => (TCB_STATUSES as readonly string[]).indexOf(status);
    demand(rank(level.tcbStatus) >= 0, `the status of ${of} is ${level.tcbStatus}`);
    if (rank(level.tcbStatus) > rank(this.tcbStatus)) this.tcbStatus = level.tcbStatus;
  }
}

function bytesOfHex(text: string): Uint8Array {
  demand(/^([0-9a-f]{2})*$/i.test(text), `"${text.slice(0, 20)}" is not hexadecimal`);
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

function equalMasked(actual: Uint8Array, expectedHex: string, maskHex: string): boolean {
  const [expected, mask] = [bytesOfHex(expectedHex), bytesOfHex(maskHex)];
  const masked = actual.map((byte, index) => byte & mask[index]!);
  return (
    mask.length === actual.length &&
    bytesEqual(
      masked,
      expected.map((byte, index) => byte & mask[index]!),
    )
  );
}
