/** What `measure` computes, against a second computation and against TDs that were built; what `--diff` says. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { TDINFO_LAYOUT, TDREPORT_LAYOUT } from '../../src/abi/index.ts';
import { QuoteVersion } from '../../src/attestation/index.ts';
import { BUILT_IN_GUEST_BYTES, planBuiltInGuest } from '../../src/cli/built-in-guest.ts';
import {
  firstDifference,
  hexOf,
  type Measurements,
  measureFirmware,
  measurePlan,
  readReported,
} from '../../src/debug/index.ts';
import { EventType, encodeEventLog, LoadError, type MeasuredEvent, readTdvfSections } from '../../src/loader/index.ts';
import { TdxPlatform } from '../../src/machine/index.ts';
import { serviceOf } from './reports.ts';
import { IMAGE_BYTES, SECTIONS, tdvfImage } from './tdvf-image.ts';

/** MRTD as the module's ABI has it, written a second time: one stream of blocks. */
function expectedMrtd(image: Uint8Array, twoPasses: boolean): string {
  const hash = createHash('sha384');
  const block = (text: string, gpa: number) => {
    const bytes = Buffer.alloc(128);
    bytes.write(text, 'latin1');
    bytes.writeBigUInt64LE(BigInt(gpa), 16);
    hash.update(bytes);
  };
  for (const { offset, dataBytes, startGpa, lengthBytes, attributes } of SECTIONS) {
    if ((attributes & 2) !== 0) continue;
    const data = Buffer.alloc(lengthBytes);
    data.set(image.subarray(offset, offset + dataBytes));
    const measure = (page: number) => {
      for (let at = page; at < page + 4096 && (attributes & 1) !== 0; at += 256) {
        block('MR.EXTEND', startGpa + at);
        hash.update(data.subarray(at, at + 256));
      }
    };
    for (let page = 0; page < lengthBytes; page += 4096) {
      block('MEM.PAGE.ADD', startGpa + page);
      if (!twoPasses) measure(page);
    }
    if (twoPasses) for (let page = 0; page < lengthBytes; page += 4096) measure(page);
  }
  return hash.digest('hex');
}

const MEMORY = 512 << 20;

describe('firmware', () => {
  const image = tdvfImage();

  test('its sections are found by both ways to the metadata', () => {
    for (const place of ['table', 'number'] as const) {
      const sections = readTdvfSections(tdvfImage(place), 'f');
      assert.deepEqual(
        sections.map(({ name, startGpa, isMeasured, isAdded }) => [name, startGpa, isMeasured, isAdded]),
        [
          ['BFV', 0xffff_e000, true, true],
          ['CFV', 0xffff_c000, false, true],
          ['TempMem', 0x80_b000, false, true],
          ['TD_HOB', 0x80_9000, false, true],
          ['PermMem', 0x10_0000, false, false],
        ],
      );
      assert.equal(sections[1]!.content.length, 0x1800);
    }
  });

  test('MRTD in both page orders', () => {
    const sections = readTdvfSections(image, 'f');
    const inOrder = (order: 'page-by-page' | 'add-then-measure') =>
      hexOf(measureFirmware(sections, order, MEMORY).mrtd);
    assert.equal(inOrder('page-by-page'), expectedMrtd(image, false));
    assert.equal(inOrder('add-then-measure'), expectedMrtd(image, true));
    assert.notEqual(inOrder('page-by-page'), inOrder('add-then-measure'));
  });

  test('what is no firmware, or a damaged one, is refused in one sentence', () => {
    const refused = (bytes: Uint8Array, sentence: RegExp) =>
      assert.throws(
        () => readTdvfSections(bytes, 'f'),
        (error) => error instanceof LoadError && sentence.test(error.message),
      );
    const withSection = (change: Partial<(typeof SECTIONS)[number]>) =>
      tdvfImage('table', [{ ...SECTIONS[0]!, ...change }]);
    refused(new Uint8Array(), /no TDVF metadata/);
    refused(new Uint8Array(IMAGE_BYTES), /no TDVF metadata/);
    refused(withSection({ startGpa: 0x1001 }), /not made of 4 KiB pages/);
    refused(withSection({ lengthBytes: 0x1000 }), /more data than memory/);
    refused(withSection({ dataBytes: 0 }), /a BFV, has 0 bytes/);
    refused(withSection({ type: 3 }), /a TempMem, has 8192 bytes/);
    refused(withSection({ offset: 0x2001 }), /give the whole image/);
  });

  test('no change of the bytes that lead to the metadata makes it throw anything else', () => {
    for (let at = IMAGE_BYTES - 0x80; at < IMAGE_BYTES; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const changed = image.slice();
        changed[at] = value;
        try {
          readTdvfSections(changed, 'f');
        } catch (error) {
          assert.ok(error instanceof LoadError, String(error));
        }
      }
    }
  });
});

test('a plan: MRTD is what a TD built from it has', () => {
  const plan = planBuiltInGuest();
  const td = new TdxPlatform({ memoryBytes: BUILT_IN_GUEST_BYTES }).buildTd(plan);
  assert.equal(hexOf(measurePlan(plan).mrtd), hexOf(td.readMrtd()));
});

describe('the first difference', () => {
  const digest = (value: number) => new Uint8Array(48).fill(value);
  const event = (rtmr: number, value: number, text: string): MeasuredEvent => ({
    rtmr,
    type: EventType.IPL,
    digest: digest(value),
    data: Buffer.from(text),
  });
  const events = [event(1, 1, 'kernel'), event(2, 2, 'command line'), event(2, 3, 'initrd')];
  const predicted = measurePlan({ ...planBuiltInGuest(), events });
  const report = (measurements: Measurements) => {
    const { report } = serviceOf(1, QuoteVersion.V4);
    const bytes = report();
    bytes.set(measurements.mrtd, TDREPORT_LAYOUT.tdInfo + TDINFO_LAYOUT.mrtd);
    measurements.rtmrs!.forEach((rtmr, index) => {
      bytes.set(rtmr, TDREPORT_LAYOUT.tdInfo + TDINFO_LAYOUT.rtmr + 48 * index);
    });
    return readReported(bytes)!;
  };
  const log = (logged: readonly MeasuredEvent[]) => readReported(encodeEventLog(logged, 4096))!;

  test('none where nothing differs', () => {
    assert.equal(firstDifference(predicted, report(predicted)), undefined);
    assert.equal(firstDifference(predicted, log(events)), undefined);
  });

  test('MRTD', () => {
    const other = report({ ...predicted, mrtd: digest(9) });
    assert.match(firstDifference(predicted, other)!, /^MRTD is [0-9a-f]{96} here and (09){48} in the TDREPORT$/);
  });

  test('MRTD, and the registers that say where', () => {
    const changed = [...events.slice(0, 1), event(2, 9, 'command line'), ...events.slice(2)];
    const { rtmrs } = measurePlan({ ...planBuiltInGuest(), events: changed });
    const sentence = firstDifference(predicted, report({ ...predicted, mrtd: digest(9), rtmrs }));
    assert.match(sentence!, /in the TDREPORT; RTMR2 \("command line", "initrd"\) differs too$/);
  });

  test('MRTD of a firmware, measured in the other page order', () => {
    const sections = readTdvfSections(tdvfImage(), 'f');
    const [one, two] = [
      measureFirmware(sections, 'page-by-page', MEMORY),
      measureFirmware(sections, 'add-then-measure', MEMORY),
    ];
    const other = report({ ...predicted, mrtd: two.mrtd });
    assert.match(firstDifference(one, other)!, /it is that of the page order add-then-measure$/);
    assert.equal(firstDifference(two, other), undefined);
  });

  test('an RTMR, and that it stopped early', () => {
    const shorter = measurePlan({ ...planBuiltInGuest(), events: events.slice(0, 2) });
    const sentence = firstDifference(predicted, report(shorter))!;
    assert.match(sentence, /^RTMR2 is .*, where it was extended 1 times instead of 2$/);
    const other = report({ ...predicted, rtmrs: predicted.rtmrs!.map(() => digest(7)) });
    assert.match(firstDifference(predicted, other)!, /^RTMR0 is 0{96} here and (07){48} in the TDREPORT$/);
  });

  test('an event: another digest, another text, one too few, one too many', () => {
    const difference = (...logged: MeasuredEvent[]) => firstDifference(predicted, log(logged));
    const [one, two, three] = events as [MeasuredEvent, MeasuredEvent, MeasuredEvent];
    assert.match(
      difference(one, event(2, 9, 'command line'), three)!,
      /^event 1, RTMR2 EV_IPL "command line", has the digest (02)+ here and (09)+/,
    );
    assert.match(
      difference(one, event(2, 2, 'other'), three)!,
      /^event 1 is RTMR2 EV_IPL "command line" here and RTMR2 EV_IPL "other"/,
    );
    assert.match(difference(one, event(3, 2, 'command line'), three)!, /^event 1 is RTMR2 .* here and RTMR3 /);
    assert.match(difference(one, two)!, /^event 2 is missing in the log: RTMR2 EV_IPL "initrd"/);
    assert.match(difference(one, two, three, one)!, /^event 3 of the log is one too many: RTMR1 EV_IPL "kernel"/);
  });

  test('bytes that are nothing of the three', () => {
    assert.equal(readReported(new Uint8Array(1024)), undefined);
    assert.equal(readReported(new Uint8Array()), undefined);
  });
});
