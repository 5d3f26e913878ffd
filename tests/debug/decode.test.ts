/** `seamulator decode` and the library call behind it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  CompletionCode,
  completionCodeName,
  EXIT_REASON_NAMES,
  TDINFO_LAYOUT,
  TDREPORT_BYTES,
  TDREPORT_LAYOUT,
  TDVMCALL_LEAF_NAMES,
  TdAttribute,
  TdgLeaf,
  tdgLeafName,
} from '../../src/abi/index.ts';
import { ENCLAVE_REPORT_BYTES, encodeQuote, QuoteVersion, quoteSignedBytes } from '../../src/attestation/index.ts';
import {
  decodeName,
  decodeNumber,
  decodeQualification,
  decodeStructure,
  formatDecoded,
} from '../../src/debug/index.ts';
import { root } from '../repository.ts';

const MRTD = 'ab'.repeat(48);

function report(): Uint8Array {
  const bytes = new Uint8Array(TDREPORT_BYTES);
  bytes[TDREPORT_LAYOUT.type] = 0x81;
  bytes.fill(0xab, TDREPORT_LAYOUT.tdInfo + TDINFO_LAYOUT.mrtd, TDREPORT_LAYOUT.tdInfo + TDINFO_LAYOUT.mrtd + 48);
  new DataView(bytes.buffer).setBigUint64(TDREPORT_LAYOUT.tdInfo, TdAttribute.SEPT_VE_DISABLE, true);
  return bytes;
}

describe('numbers', () => {
  test('a completion status: class, L1, L2', () => {
    const [status, ...others] = decodeNumber(0xc0000100_00000001n);
    assert.deepEqual(others, []);
    assert.equal(status!.name, 'TDX_OPERAND_INVALID');
    assert.deepEqual(status!.parts, {
      ERROR: 'yes',
      NON_RECOVERABLE: 'yes',
      FATAL: 'no',
      HOST_RECOVERABILITY_HINT: 'no',
      CLASS: '1, operand',
      DETAILS_L1: '0x0',
      DETAILS_L2: '0x1: TDX_OPERAND_INVALID (RCX)',
    });
  });

  test('every name of the tables is found again under its number', () => {
    const same = (name: string, value: bigint) =>
      assert.ok(
        decodeNumber(value).some((one) => one.name === name) &&
          decodeName(name).some((one) => BigInt(one.value!) === value),
        `${name} ${value}`,
      );
    for (const code of Object.values(CompletionCode)) same(completionCodeName(code), BigInt(code) << 32n);
    for (const [reason, name] of EXIT_REASON_NAMES) same(name, BigInt(reason));
    for (const [leaf, name] of TDVMCALL_LEAF_NAMES) same(name, BigInt(leaf));
    for (const leaf of Object.values(TdgLeaf)) same(tdgLeafName(leaf), BigInt(leaf));
  });

  test('a metadata field id, an element of it, and bits that the module does not look at', () => {
    assert.equal(decodeNumber(0x1310_0003_0000_0047n, 'field-id')[0]!.name, 'RTMR[7]');
    assert.equal(decodeNumber(0x9110_0000_0000_0010n, 'field-id')[0]!.name, 'NOTIFY_ENABLES');
    assert.equal(decodeNumber(0x0a00_0003_0000_0008n)[0]!.name, 'TDX_FEATURES0');
  });

  test('masks of bits name each bit, and say what is illegal', () => {
    assert.equal(decodeNumber(0x1000_0001n, 'attributes')[0]!.name, 'DEBUG, SEPT_VE_DISABLE');
    assert.match(decodeNumber(0x3n, 'xfam')[0]!.name, /^X87, SSE$/);
    assert.match(decodeNumber(0x8n, 'attributes')[0]!.name, /reserved/);
    assert.match(decodeNumber(0xfc10n, 'mask')[0]!.parts.illegal!, /RSP/);
    assert.equal(decodeNumber(0xfc00n)[0]!.name, 'R10, R11, R12, R13, R14, R15');
  });

  test('qualifications say what was done', () => {
    assert.equal(decodeQualification(30, 0x3f8_0008n).name, 'IN from port 0x3f8, 1 byte');
    assert.equal(decodeQualification(28, 0x104n).name, 'MOV to CR4 from RCX');
    assert.match(decodeQualification(48, 0x82n).name, /^write, not mapped/);
  });
});

describe('files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'seamulator-'));
  after(() => rmSync(directory, { recursive: true }));
  const decode = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'bin/seamulator'), 'decode', ...args], { encoding: 'utf8' });

  test('a TDREPORT and a quote of it', () => {
    const decoded = decodeStructure(report())!;
    assert.equal(decoded.parts.MRTD, MRTD);
    assert.match(decoded.parts.ATTRIBUTES!, /SEPT_VE_DISABLE/);
    const head = { version: QuoteVersion.V4, qeVendorId: new Uint8Array(16), userData: new Uint8Array(20) };
    const quote = encodeQuote(quoteSignedBytes(head, report()), {
      signature: new Uint8Array(64),
      attestationKey: new Uint8Array(64),
      qeReport: new Uint8Array(ENCLAVE_REPORT_BYTES),
      qeReportSignature: new Uint8Array(64),
      qeAuthenticationData: new Uint8Array(32),
      certificateChain: '',
    });
    const text = formatDecoded(decodeStructure(quote)!);
    assert.match(text, /^TD quote: version 4/);
    assert.ok(text.includes(MRTD));
    assert.equal(decodeStructure(new Uint8Array(1024)), undefined);
  });

  test('the command: a file, a number, JSON, and what nobody knows', () => {
    const path = join(directory, 'report.bin');
    writeFileSync(path, report());
    assert.match(decode(path).stdout, /^TDREPORT_STRUCT: report of a TD with MRTD abab/);
    assert.equal(JSON.parse(decode('0x10001', '--json').stdout)[0].name, 'MapGPA');
    assert.equal(decode('NO_SUCH_NAME').status, 1);
    writeFileSync(path, 'no report');
    const wrong = decode(path);
    assert.equal(wrong.status, 3);
    assert.match(wrong.stderr, /neither a TDREPORT nor a quote/);
  });
});
