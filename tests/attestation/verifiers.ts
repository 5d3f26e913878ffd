/** Verifiers of quotes, ours and two that no one here wrote, behind one face. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { constants, QuoteVerifier } from '@phala/dcap-qvl';
import { OctetString } from 'asn1js';
import { type QuoteCollateral, readCertificate, verifyQuote } from '../../src/attestation/index.ts';
import { TestPki } from '../../src/vmm/index.ts';
import { extension, type Issued, issueCertificate } from '../../src/vmm/quoting/issue.ts';

export interface Verifier {
  readonly name: string;
  readonly readsVersion5: boolean;
  /** mutations that it is known to let pass, in the order of mutationsOf; why is in docs/test-pki.md */
  readonly overlooks: readonly string[];
  /** the verdict's status, like "UpToDate"; throws what it has to say against the quote */
  readonly verify: (quote: Uint8Array, collateral: QuoteCollateral, nowUnixSeconds: number) => string;
}

/** What verifiers that trust `root` say. */
export async function verifiersOf(root: Issued): Promise<Verifier[]> {
  return [ours(root), dcapQvl(root), await dcapQvlWasm(root)];
}

function ours(root: Issued): Verifier {
  return {
    name: 'ours',
    readsVersion5: true,
    overlooks: [],
    verify: (quote, collateral, nowUnixSeconds) => {
      const verdict = verifyQuote(quote, { collateral, root: readCertificate(root.der), nowUnixSeconds });
      if (!verdict.accepted) throw new Error(verdict.steps.at(-1)!.complaint);
      return verdict.tcbStatus!;
    },
  };
}

const DCAP_QVL_OVERLOOKS = ['one bit of the type of the certification data'];
const DCAP_QVL_WASM_OVERLOOKS = [
  ...DCAP_QVL_OVERLOOKS,
  'one bit of the root in the quote',
  'TCB info of the future',
  'QE identity out of date',
  'QE identity of the future',
  'a revoked platform',
  'qe_identity: "isvprodid":2 for "isvprodid":3',
];

/** npm: @phala/dcap-qvl, in JavaScript. */
function dcapQvl(root: Issued): Verifier {
  const verifier = QuoteVerifier.newWithRootCa(Buffer.from(root.der));
  return {
    name: '@phala/dcap-qvl',
    readsVersion5: true,
    overlooks: DCAP_QVL_OVERLOOKS,
    verify: (quote, collateral, now) => verifier.verify(Buffer.from(quote), { ...collateral }, now).status,
  };
}

interface WasmVerifier {
  initSync(options: { readonly module: Uint8Array }): void;
  js_verify(quote: Uint8Array, collateral: QuoteCollateral, nowUnixSeconds: bigint): { readonly status: string };
}
let instances = 0;

/**
 * npm: @phala/dcap-qvl-web, written in Rust. It trusts the vendor's root, whose certificate lies in the module; a certificate of our
 * root, made as long as that one, is put in its place in memory.
 */
async function dcapQvlWasm(root: Issued): Promise<Verifier> {
  const path = createRequire(import.meta.url).resolve('@phala/dcap-qvl-web');
  const bytes = new Uint8Array(readFileSync(path.replace(/\.js$/, '_bg.wasm')));
  const place = Buffer.from(bytes.buffer).indexOf(constants.TRUSTED_ROOT_CA_DER);
  if (place < 0) throw new Error("the vendor's root is not in the module");
  bytes.set(ofLength(root, constants.TRUSTED_ROOT_CA_DER.length), place);
  const verifier = (await import(`${pathToFileURL(path)}?${instances++}`)) as WasmVerifier;
  verifier.initSync({ module: bytes });
  return {
    name: '@phala/dcap-qvl-web',
    readsVersion5: false,
    overlooks: DCAP_QVL_WASM_OVERLOOKS,
    verify: (quote, collateral, now) => verifier.js_verify(quote, collateral, BigInt(now)).status,
  };
}

const COMMENT_OID = '2.16.840.1.113730.1.13';

/** The same key and name in a certificate with a comment that brings it to a length; signatures vary by two bytes. */
function ofLength(root: Issued, length: number): Uint8Array {
  const validity = { notBefore: new Date('2025-01-01'), notAfter: new Date('2049-12-31') };
  const spare = length - root.der.length;
  for (let attempt = 0; attempt < 1000; attempt++) {
    const comment = new Uint8Array(Math.max(0, spare - 20 + (attempt % 8))).fill(attempt);
    const value = new OctetString({ valueHex: comment.buffer });
    const { der } = issueCertificate(root, undefined, 'root', validity, [extension(COMMENT_OID, false, value)]);
    if (der.length === length) return der;
  }
  throw new Error(`no certificate of our root has ${length} bytes`);
}

/** An authority of the same names whose keys are others. */
export function anotherRoot(): Issued {
  const { root, platformCa } = new TestPki();
  return issueCertificate({ name: root.name, key: platformCa.key }, undefined, 'root', {
    notBefore: new Date('2025-01-01'),
    notAfter: new Date('2049-12-31'),
  });
}
