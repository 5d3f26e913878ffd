/** `seamulator quote` and `seamulator measure` as a person types them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { TDINFO_LAYOUT, TDREPORT_LAYOUT } from '../../src/abi/index.ts';
import { QuoteVersion } from '../../src/attestation/index.ts';
import { measureFirmware, withEventLog } from '../../src/debug/index.ts';
import { encodeEventLog, type MeasuredEvent, readTdvfSections } from '../../src/loader/index.ts';
import { root } from '../repository.ts';
import { serviceOf } from './reports.ts';
import { tdvfImage } from './tdvf-image.ts';

const directory = mkdtempSync(join(tmpdir(), 'seamulator-'));
const at = (name: string) => join(directory, name);
const seamulator = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, 'bin/seamulator'), ...args], { encoding: 'utf8', cwd: directory });

after(() => rmSync(directory, { recursive: true }));

describe('seamulator quote', () => {
  const { service, report } = serviceOf(1, QuoteVersion.V4);
  const quote = service.quote(report())!;
  writeFileSync(at('quote.bin'), quote);
  writeFileSync(at('bad.bin'), quote.with(200, 0));

  test('verify: every step, the verdict, and that the root is a test', () => {
    const { status, stdout } = seamulator('quote', 'verify', 'quote.bin', '--at', '2026-01-01');
    assert.equal(status, 0);
    assert.match(stdout, /MRSEAM +(5e){48}/);
    assert.match(stdout, /ok +PCK certificate chain/);
    assert.match(stdout, /Accepted\. Status of the platform: UpToDate\.\nThe root is the TEST root of Seamulator/);
  });

  test('verify refuses, and says at which step', () => {
    const { status, stdout } = seamulator('quote', 'verify', 'bad.bin', '--at', '2026-01-01');
    assert.equal(status, 5);
    assert.match(stdout, /refused +quote signature: the attestation key did not sign this header and body/);
    assert.match(stdout, /\nRefused\.\n/);
    assert.equal(seamulator('quote', 'verify', 'quote.bin', '--at', '2060-01-01').status, 5);
  });

  test('verify compares the report data', () => {
    const verify = (data: string) =>
      seamulator('quote', 'verify', 'quote.bin', '--at', '2026-01-01', '--report-data', data);
    assert.equal(verify('da'.repeat(64)).status, 0);
    const { status, stdout } = verify('da');
    assert.equal(status, 5);
    assert.match(stdout, /refused +report data: REPORTDATA is (da){64}/);
    assert.equal(verify('dada1').status, 1);
  });

  test('collateral and root go out as files and come back in', () => {
    assert.equal(seamulator('quote', 'collateral', '--out', 'c.json', '--root', 'r.pem').status, 0);
    const verify = (collateral: string) =>
      seamulator(
        'quote',
        'verify',
        'quote.bin',
        '--collateral',
        collateral,
        '--root',
        'r.pem',
        '--at',
        '2026-01-01',
        '--json',
      );
    const { status, stdout } = verify('c.json');
    assert.equal(status, 0);
    const verdict = JSON.parse(stdout) as { accepted: boolean; tcbStatus: string; fields: Record<string, string> };
    assert.equal(verdict.accepted, true);
    assert.equal(verdict.fields.REPORTDATA, 'da'.repeat(64));
    const collateral = JSON.parse(readFileSync(at('c.json'), 'utf8')) as Record<string, string>;
    writeFileSync(at('c2.json'), JSON.stringify({ ...collateral, tcb_info: collateral.tcb_info!.replace('1', '2') }));
    const changed = verify('c2.json');
    assert.equal(changed.status, 5);
    assert.match(changed.stdout, /"complaint": "the signature of tcb_info is wrong"/);
    writeFileSync(at('c3.json'), '{}');
    const incomplete = verify('c3.json');
    assert.equal(incomplete.status, 3);
    assert.match(incomplete.stderr, /^seamulator: c3\.json has no text "pck_crl_issuer_chain"\.\n$/);
  });

  test('bad input: one sentence, no stack', () => {
    writeFileSync(at('no-quote'), 'hello');
    const noQuote = seamulator('quote', 'verify', 'no-quote');
    assert.equal(noQuote.status, 5);
    assert.match(noQuote.stdout, /refused +format: its version is 25960, not 4 or 5/);
    const { status, stderr } = seamulator('quote', 'verify', 'nothing.bin');
    assert.equal(status, 3);
    assert.equal(stderr, 'seamulator: Cannot read the quote nothing.bin: there is no such file.\n');
    assert.equal(seamulator('quote', 'verify', 'quote.bin', '--at', 'noon').status, 1);
  });
});

describe('seamulator measure', () => {
  const image = tdvfImage();
  writeFileSync(at('firmware.fd'), image);
  const mrtd = Buffer.from(measureFirmware(readTdvfSections(image, 'f'), 'page-by-page', 512 << 20).mrtd).toString(
    'hex',
  );

  test('firmware: a table by section, or JSON', () => {
    const { status, stdout } = seamulator('measure', '--firmware', 'firmware.fd');
    assert.equal(status, 0);
    assert.match(stdout, /0x0ffffe000-0x100000000 +BFV +address, content +[0-9a-f]{16}/);
    assert.match(stdout, /0x0ffffc000-0x0ffffe000 +CFV +address +[0-9a-f]{16}/);
    assert.match(stdout, /0x000809000-0x00080a000 +TD_HOB +address +zeros/);
    assert.match(stdout, /0x000100000-0x000200000 +PermMem +nothing\n/);
    assert.match(stdout, new RegExp(`^MRTD +${mrtd}$`, 'm'));
    assert.match(stdout, /RTMR0 +EV_EFI_HANDOFF_TABLES2 +[0-9a-f]{16} +TD HOB, of 512 MiB as QEMU lays them out/);
    assert.match(stdout, /RTMR2 +EV_IPL +\? +command line, .*: the guest decides/);
    const json = JSON.parse(seamulator('measure', '--firmware', 'firmware.fd', '--json').stdout) as { mrtd: string };
    assert.equal(json.mrtd, mrtd);
  });

  test('--diff ends with 5 where something differs', () => {
    const { service, report } = serviceOf(1, QuoteVersion.V4);
    writeFileSync(at('other.bin'), service.quote(report())!);
    const { status, stdout } = seamulator('measure', '--firmware', 'firmware.fd', '--diff', 'other.bin');
    assert.equal(status, 5);
    assert.match(stdout, /\nother\.bin: MRTD is [0-9a-f]{96} here and (01){48} in the quote\.\n$/);
    const nothing = seamulator('measure', '--firmware', 'firmware.fd', '--diff', 'firmware.fd');
    assert.equal(nothing.status, 3);
    assert.match(nothing.stderr, /is neither a TDREPORT nor a quote nor an event log/);
  });

  test('--log: an event log of the firmware completes the registers, and a report is compared with them', () => {
    const predicted = measureFirmware(readTdvfSections(image, 'f'), 'page-by-page', 512 << 20);
    const events = predicted.firmwareEvents!.map(({ rtmr, type, name, digests }): MeasuredEvent => {
      const data = new TextEncoder().encode(name);
      return { rtmr, type, data, digest: digests[0]?.digest ?? new Uint8Array(48).fill(0xee) };
    });
    writeFileSync(at('log.bin'), encodeEventLog(events, 0x4000));
    const report = new Uint8Array(1024);
    report[0] = 0x81;
    report.set(predicted.mrtd, TDREPORT_LAYOUT.tdInfo + TDINFO_LAYOUT.mrtd);
    withEventLog(predicted, events).rtmrs!.forEach((rtmr, index) => {
      report.set(rtmr, TDREPORT_LAYOUT.tdInfo + TDINFO_LAYOUT.rtmr + 48 * index);
    });
    writeFileSync(at('report.bin'), report);
    writeFileSync(at('extended.bin'), report.with(TDREPORT_LAYOUT.tdInfo + TDINFO_LAYOUT.rtmr + 96, 1));
    const diff = (...args: string[]) => seamulator('measure', '--firmware', 'firmware.fd', ...args);
    assert.match(diff('--diff', 'report.bin').stdout, /a TDREPORT, says the same of MRTD\.\n$/);
    const same = diff('--log', 'log.bin', '--diff', 'report.bin');
    assert.equal(same.status, 0, same.stderr);
    assert.match(same.stdout, /\nRTMR2 +[0-9a-f]{96}\n/);
    assert.match(same.stdout, /a TDREPORT, says the same\.\n$/);
    const other = diff('--log', 'log.bin', '--diff', 'extended.bin');
    assert.equal(other.status, 5);
    assert.match(other.stdout, /RTMR2 is [0-9a-f]{96} here and 01/);
    writeFileSync(at('wrong.bin'), encodeEventLog(events.slice(1), 0x4000));
    const wrong = diff('--log', 'wrong.bin');
    assert.equal(wrong.status, 5);
    assert.match(wrong.stderr, /wrong\.bin: RTMR0 EV_EFI_HANDOFF_TABLES2, TD HOB, is missing in the log\./);
    assert.equal(diff('--log', 'report.bin').stderr, 'seamulator: report.bin is no event log.\n');
  });

  test('what is no firmware is refused in one sentence', () => {
    writeFileSync(at('no.fd'), 'x'.repeat(1000));
    const { status, stderr } = seamulator('measure', '--firmware', 'no.fd');
    assert.equal(status, 3);
    assert.equal(stderr, 'seamulator: no.fd holds no TDVF metadata: it is no firmware for TDs.\n');
  });
});
