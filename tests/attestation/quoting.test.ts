/** The quoting service without a guest: which reports it takes, and what verifiers think of its quotes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TDREPORT_LAYOUT as L, TDREPORT_BYTES, TEE_TCB_INFO_BYTES } from '../../src/abi/index.ts';
import { parseQuote, QuoteVersion, quoteField, readCertificate, readPemChain } from '../../src/attestation/index.ts';
import { TestPki } from '../../src/vmm/index.ts';
import { issueCertificate, signingKey } from '../../src/vmm/quoting/issue.ts';
import { root } from '../repository.ts';
import { acceptedOf, mutationsOf, NOW } from './mutations.ts';
import { serviceOf } from './reports.ts';
import { anotherRoot, verifiersOf } from './verifiers.ts';

/** What other verifiers let pass is explained there. */
const explained = readFileSync(join(root, 'docs/test-pki.md'), 'utf8');
const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes!).toString('hex');

for (const version of [QuoteVersion.V4, QuoteVersion.V5]) {
  test(`a quote of version ${version}: every verifier accepts it, and refuses it with one thing wrong`, async () => {
    const { service, report } = serviceOf(1, version);
    const quote = service.quote(report())!;
    const pki = new TestPki();
    const cases = mutationsOf(quote);
    assert.ok(cases.length >= 20);
    for (const verifier of await verifiersOf(pki.root)) {
      if (version === QuoteVersion.V5 && !verifier.readsVersion5) continue;
      assert.equal(verifier.verify(quote, pki.collateral(), NOW), 'UpToDate', verifier.name);
      const outdated = pki.collateral({ platformStatus: 'OutOfDate' });
      assert.equal(verifier.verify(quote, outdated, NOW), 'OutOfDate', verifier.name);
      const accepted = acceptedOf(verifier, cases);
      assert.deepEqual(accepted, verifier.overlooks, verifier.name);
      const refused = cases.length - accepted.length;
      assert.ok(refused >= 48, `${verifier.name} refuses ${refused}`);
      for (const name of accepted) assert.ok(explained.includes(name), `docs/test-pki.md does not explain "${name}"`);
    }
    for (const verifier of await verifiersOf(anotherRoot())) {
      assert.throws(() => verifier.verify(quote, pki.collateral(), NOW), `${verifier.name} accepted another root`);
    }
  });

  test(`a quote of version ${version} holds what the report holds`, () => {
    const { service, report } = serviceOf(1, version);
    const quote = parseQuote(service.quote(report())!);
    assert.equal(quote.version, version);
    assert.equal(hex(quoteField(quote, 'MRSEAM')), '5e'.repeat(48));
    assert.equal(hex(quoteField(quote, 'MRTD')), '01'.repeat(48));
    assert.equal(hex(quoteField(quote, 'RTMR3')), '16'.repeat(48));
    assert.equal(hex(quoteField(quote, 'REPORTDATA')), 'da'.repeat(64));
    assert.equal(quoteField(quote, 'TEE_TCB_SVN2') === undefined, version === QuoteVersion.V4);
    assert.match(Buffer.from(quote.userData).toString(), /TEST/);
  });
}

test('equal seeds make equal quotes, other seeds other platforms under the same root', () => {
  const quoteOf = (seed: number) => {
    const { service, report } = serviceOf(seed, QuoteVersion.V4);
    return service.quote(report())!;
  };
  assert.deepEqual(quoteOf(1), quoteOf(1));
  const [one, two] = [quoteOf(1), quoteOf(2)].map((quote) => readPemChain(parseQuote(quote).evidence.certificateChain));
  assert.notEqual(one![0]!.serial, two![0]!.serial);
  assert.deepEqual(one![2]!.der, two![2]!.der);
});

test('only an unchanged report of this platform is quoted', () => {
  const { service, report } = serviceOf(1, QuoteVersion.V4);
  assert.equal(service.quote(serviceOf(2, QuoteVersion.V4).report()), undefined, "another platform's");
  assert.equal(service.quote(report().subarray(0, 1000)), undefined, 'cut short');
  assert.equal(service.quote(new Uint8Array(TDREPORT_BYTES)), undefined, 'empty');
  const padding = new Set([...Array(17).keys()].map((i) => L.teeTcbInfo + TEE_TCB_INFO_BYTES + i));
  for (let offset = 0; offset < TDREPORT_BYTES; offset += offset < 256 ? 1 : 7) {
    if (padding.has(offset)) continue;
    const changed = report();
    changed[offset]! ^= 0x10;
    assert.equal(service.quote(changed), undefined, `byte ${offset}`);
  }
});

test('nothing that is issued passes for the vendor’s: every name says TEST, none says Intel', () => {
  const { service, report } = serviceOf(1, QuoteVersion.V4);
  const pki = new TestPki();
  const chain = readPemChain(parseQuote(service.quote(report())!).evidence.certificateChain);
  for (const { subject, issuer } of [...chain, readCertificate(pki.tcbSigning.der)])
    for (const name of [subject, issuer]) {
      assert.match(name, /CN=Seamulator TEST .*O=Seamulator TEST - simulated, proves nothing/);
      assert.doesNotMatch(name, /intel/i);
    }
  const key = signingKey(Uint8Array.of(1));
  const period = { notBefore: new Date(0), notAfter: new Date(1) };
  for (const name of ['Intel SGX Root CA', 'Intel SGX TEST Root CA', 'Some Root CA'])
    assert.throws(() => issueCertificate({ name, key }, undefined, 'root', period), /could be taken for a real one/);
});
