import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edgeInterrupt, eisaId, integer, list, name, resourceTemplate, scope, text } from './aml.ts';
import { type BoardAddresses, buildAcpiTables } from './index.ts';
import { acpiTable } from './table.ts';

const board: BoardAddresses = {
  ramCeiling: 0xc000_0000,
  localApic: 0xfee0_0000,
  ioApic: { address: 0xfec0_0000, id: 1, firstInterrupt: 0 },
  serial: { port: 0x3f8, interrupt: 4 },
  power: { sleepControlPort: 0x600, sleepStatusPort: 0x601, resetPort: 0x602, resetValue: 1, powerOffType: 5 },
  virtioMmio: [{ address: 0xd000_0000, lengthBytes: 0x200, interrupt: 16 }],
};
const START = 0x8_0000;
const MAILBOX = 0x8_f000;
const WAKEUP = { mailboxGpa: MAILBOX, switchedOffGpa: 0xffff_7040 };
const EVENT_LOG = { startGpa: 0x8_8000, lengthBytes: 0x4000 };

function sum(bytes: Uint8Array): number {
  return bytes.reduce((total, byte) => total + byte, 0) & 0xff;
}

/** Follows the pointers from the RSDP, as a guest does. */
function walk(vcpus: number) {
  const { bytes, rsdpGpa } = buildAcpiTables(board, vcpus, START, WAKEUP, EVENT_LOG);
  const view = new DataView(bytes.buffer);
  const tableAt = (gpa: bigint) => {
    const offset = Number(gpa) - START;
    return bytes.subarray(offset, offset + view.getUint32(offset + 4, true));
  };
  const rsdp = bytes.subarray(rsdpGpa - START, rsdpGpa - START + 36);
  const xsdt = tableAt(view.getBigUint64(rsdpGpa - START + 24, true));
  const xsdtView = new DataView(xsdt.buffer, xsdt.byteOffset, xsdt.length);
  const tables = new Map<string, Uint8Array>();
  for (let at = 36; at < xsdt.length; at += 8) {
    const table = tableAt(xsdtView.getBigUint64(at, true));
    tables.set(new TextDecoder().decode(table.subarray(0, 4)), table);
  }
  const fadt = tables.get('FACP')!;
  const dsdt = tableAt(new DataView(fadt.buffer, fadt.byteOffset).getBigUint64(140, true));
  return { rsdp, xsdt, tables, fadt, dsdt, madt: tables.get('APIC')! };
}

test('every checksum is right and every pointer leads to its table', () => {
  const { rsdp, xsdt, tables, dsdt } = walk(1);
  assert.equal(new TextDecoder().decode(rsdp.subarray(0, 8)), 'RSD PTR ');
  assert.equal(sum(rsdp.subarray(0, 20)), 0);
  assert.equal(sum(rsdp), 0);
  assert.deepEqual([...tables.keys()], ['FACP', 'APIC', 'CCEL']);
  for (const table of [xsdt, dsdt, ...tables.values()]) assert.equal(sum(table), 0);
  assert.equal(new TextDecoder().decode(dsdt.subarray(0, 4)), 'DSDT');
});

test('the FADT describes a hardware-reduced machine with its power ports', () => {
  const { fadt } = walk(1);
  const view = new DataView(fadt.buffer, fadt.byteOffset, fadt.length);
  assert.equal(fadt.length, 276);
  assert.equal(fadt[8], 6);
  assert.equal(view.getUint32(112, true), (1 << 20) | (1 << 10) | 0b11_0001);
  assert.deepEqual([...fadt.subarray(244, 256)], [1, 8, 0, 1, 0x00, 0x06, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...fadt.subarray(256, 268)], [1, 8, 0, 1, 0x01, 0x06, 0, 0, 0, 0, 0, 0]);
  assert.equal(view.getUint16(109, true) & 2, 0, 'no keyboard controller');
});

test('the MADT lists each vCPU, and the mailbox only where someone waits at it', () => {
  const types = (vcpus: number) => {
    const { madt } = walk(vcpus);
    const found: number[] = [];
    for (let at = 44; at < madt.length; at += madt[at + 1]!) found.push(madt[at]!);
    return found;
  };
  assert.deepEqual(types(1), [0, 1]);
  assert.deepEqual(types(3), [0, 0, 0, 1, 0x10]);
  const { madt } = walk(2);
  const wakeup = new DataView(madt.buffer, madt.byteOffset + madt.length - 24);
  assert.deepEqual([wakeup.getUint8(1), wakeup.getUint16(2, true)], [24, 1], 'length, version');
  assert.equal(wakeup.getBigUint64(8, true), BigInt(MAILBOX));
  assert.equal(wakeup.getBigUint64(16, true), BigInt(WAKEUP.switchedOffGpa));
});

test('the CCEL says where the event log is', () => {
  const ccel = walk(1).tables.get('CCEL')!;
  const view = new DataView(ccel.buffer, ccel.byteOffset, ccel.length);
  assert.equal(ccel.length, 56);
  assert.deepEqual([...ccel.subarray(36, 40)], [2, 0, 0, 0], 'TDX');
  assert.equal(view.getBigUint64(40, true), BigInt(EVENT_LOG.lengthBytes));
  assert.equal(view.getBigUint64(48, true), BigInt(EVENT_LOG.startGpa));
});

test('AML encodings, by the examples of the specification and by hand', () => {
  assert.deepEqual(integer(0), [0]);
  assert.deepEqual(integer(0x1234), [0x0b, 0x34, 0x12]);
  assert.deepEqual(integer(0xfee0_0000), [0x0c, 0, 0, 0xe0, 0xfe]);
  assert.deepEqual(eisaId('PNP0501'), [0x0c, 0x41, 0xd0, 0x05, 0x01]);
  assert.deepEqual(text('A'), [0x0d, 0x41, 0]);
  assert.deepEqual(
    name('\\_S5', list(integer(5), integer(0))),
    [8, 0x5c, 0x5f, 0x53, 0x35, 0x5f, 0x12, 5, 2, 0x0a, 5, 0],
  );
  assert.deepEqual(resourceTemplate(edgeInterrupt(4)), [0x11, 14, 0x0a, 11, 0x89, 6, 0, 3, 1, 4, 0, 0, 0, 0x79, 0]);
});

test('package lengths grow from one byte to three where the body asks for it', () => {
  const lengthBytes = (body: number) =>
    scope(
      '\\_SB',
      Array.from({ length: body }, () => 0),
    ).slice(1, 4);
  assert.deepEqual(lengthBytes(57), [63, 0x5c, 0x5f]);
  assert.deepEqual(lengthBytes(58), [0x41, 0x04, 0x5c]);
  assert.deepEqual(lengthBytes(4096), [0x88, 0x00, 0x01]);
});

test('a table carries its length and signature', () => {
  const table = acpiTable('TEST', 3, Uint8Array.of(1, 2));
  assert.equal(table.length, 38);
  assert.equal(sum(table), 0);
});
