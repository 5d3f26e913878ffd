import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeEventLog, type MeasuredEvent, parseEventLog } from './event-log.ts';

const AREA_BYTES = 0x4000;
const anyEvent: fc.Arbitrary<MeasuredEvent> = fc.record(
  {
    rtmr: fc.integer({ min: -1, max: 3 }),
    type: fc.integer({ min: 0, max: 0xffff_ffff }),
    digest: fc.uint8Array({ minLength: 48, maxLength: 48 }),
    data: fc.uint8Array({ maxLength: 200 }),
  },
  { noNullPrototype: true },
);

test('what is written is read', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 20 }), (events) => {
      assert.deepEqual(parseEventLog(encodeEventLog(events, AREA_BYTES)), events);
    }),
  );
});

test('byte for byte: the header, then an event', () => {
  const event = { rtmr: 1, type: 13, digest: new Uint8Array(48).fill(0xd1), data: Uint8Array.of(1, 2, 3) };
  const hex = Buffer.from(encodeEventLog([event], 150)).toString('hex');
  const header = `0000000003000000${'00'.repeat(20)}21000000${Buffer.from('Spec ID Event03\0').toString('hex')}`;
  assert.equal(
    hex,
    `${header}00000000${'00020002'}01000000${'0c003000'}00${'02000000'}0d00000001000000${'0c00'}${'d1'.repeat(48)}03000000010203${'ff'.repeat(16)}`,
  );
});

test('what is no log is none, and a log cut short ends at its last whole event', () => {
  assert.equal(parseEventLog(new Uint8Array()), undefined);
  assert.equal(parseEventLog(new Uint8Array(100)), undefined);
  const event = { rtmr: 0, type: 4, digest: new Uint8Array(48), data: new Uint8Array(8) };
  const log = encodeEventLog([event, event], AREA_BYTES);
  for (let bytes = 0; bytes < 300; bytes++) {
    const events = parseEventLog(log.subarray(0, bytes));
    assert.equal(events?.length, bytes < 65 ? undefined : bytes < 139 ? 0 : bytes < 213 ? 1 : 2, `${bytes} bytes`);
  }
});

test('no bytes whatever make it throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseEventLog(bytes)));
  const log = encodeEventLog([], 65);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseEventLog(Uint8Array.of(...log, ...bytes))),
  );
});
