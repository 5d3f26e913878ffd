import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OrcReg, OrcTable, OrcType } from './orc-table.ts';

const HEADER_6_4 = 'fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24';
const HEADER_6_3 = 'db84aed4103b31dd51e017f8f79783ca985c2c51';
const TABLE_ADDRESS = -0x7000_0000;
const CODE = -0x7f00_0000;

type Row = readonly [address: number, spOffset: number, bpOffset: number, flags: number];

function sections(rows: readonly Row[], header?: string) {
  const unwindIp = new Uint8Array(4 * rows.length);
  const unwind = new Uint8Array(6 * rows.length);
  for (const [i, [address, spOffset, bpOffset, flags]] of rows.entries()) {
    new DataView(unwindIp.buffer).setInt32(4 * i, address - (TABLE_ADDRESS + 4 * i), true);
    const view = new DataView(unwind.buffer, 6 * i);
    view.setInt16(0, spOffset, true);
    view.setInt16(2, bpOffset, true);
    view.setUint16(4, flags, true);
  }
  const bytes = header === undefined ? undefined : Uint8Array.from(header.match(/../g)!, (pair) => Number(`0x${pair}`));
  return { header: bytes, unwindIp, unwindIpAddress: TABLE_ADDRESS, unwind };
}

/** flags of the entries below: SP, BP from the caller's SP; type and the bits above as each format has them */
const flags = (spReg: number, bpReg: number, upper: number): number => spReg | (bpReg << 4) | (upper << 8);
const { SP, BP, PREV_SP, UNDEFINED } = OrcReg;

test('an entry of Linux 6.12, field by field', () => {
  const table = OrcTable.from(
    sections(
      [
        [CODE, 8, 0, flags(SP, UNDEFINED, OrcType.CALL)],
        [CODE + 1, 16, -16, flags(BP, PREV_SP, OrcType.CALL)],
        [CODE + 0x40, 0x58, 0, flags(SP, UNDEFINED, OrcType.REGS | 8)],
        [CODE + 0x80, 0, 0, OrcType.END_OF_STACK << 8],
        [CODE + 0xc0, 0, 0, 0],
      ],
      HEADER_6_4,
    ),
  )!;
  const call = { sp_offset: 8, bp_offset: 0, sp_reg: SP, bp_reg: UNDEFINED, type: OrcType.CALL, signal: false };
  assert.deepEqual(table.find(CODE), call);
  const frame = { sp_offset: 16, bp_offset: -16, sp_reg: BP, bp_reg: PREV_SP, type: OrcType.CALL, signal: false };
  assert.deepEqual(table.find(CODE + 1), frame);
  assert.deepEqual(table.findCaller(CODE + 0x3f), frame);
  assert.deepEqual(table.findCaller(CODE + 0x3f), frame, 'the second time as well');
  const regs = table.find(CODE + 0x40)!;
  assert.deepEqual([regs.sp_offset, regs.type, regs.signal], [0x58, OrcType.REGS, true]);
  assert.equal(table.find(CODE + 0x80)!.type, OrcType.END_OF_STACK);
  assert.equal(table.find(CODE - 1), undefined, 'before the code');
  assert.equal(table.find(CODE + 0xc0), undefined, 'the last entry ends the code');
});

test('of several entries for one address the last counts', () => {
  const rows: Row[] = [
    [CODE, 0, 0, 0],
    [CODE, 24, 0, flags(SP, UNDEFINED, OrcType.CALL)],
    [CODE + 16, 0, 0, 0],
  ];
  assert.equal(OrcTable.from(sections(rows, HEADER_6_4))!.find(CODE + 2)!.sp_offset, 24);
});

test('the older formats: CALL is 0, and the end is a bit of its own', () => {
  const rows = (signal: number, end: number): Row[] => [
    [CODE, 8, 0, flags(SP, UNDEFINED, 0)],
    [CODE + 1, 8, 0, flags(SP, UNDEFINED, 1 | signal)],
    [CODE + 2, 8, 0, flags(SP, UNDEFINED, 2 | signal)],
    [CODE + 3, 0, 0, end << 8],
    [CODE + 4, 0, 0, 0],
    [CODE + 5, 0, 0, 0],
  ];
  for (const table of [OrcTable.from(sections(rows(4, 8), HEADER_6_3))!, OrcTable.from(sections(rows(0, 4)))!]) {
    const entries = [0, 1, 2, 3, 4].map((i) => table.find(CODE + i)!);
    assert.deepEqual(
      entries.map(({ type }) => type),
      [OrcType.CALL, OrcType.REGS, OrcType.REGS_PARTIAL, OrcType.END_OF_STACK, OrcType.UNDEFINED],
    );
    assert.deepEqual(
      entries.slice(0, 3).map(({ signal }) => signal),
      [false, true, true],
    );
  }
});

test('what is no table, or one of a format that nobody knows, is none', () => {
  const row: Row = [CODE, 8, 0, flags(SP, UNDEFINED, OrcType.CALL)];
  assert.equal(OrcTable.from(sections([row, row], '00'.repeat(20))), undefined);
  assert.equal(OrcTable.from(sections([], HEADER_6_4)), undefined);
  assert.equal(OrcTable.from(sections([row, [CODE - 1, 0, 0, 0]], HEADER_6_4)), undefined, 'descending');
  const good = sections([row, row], HEADER_6_4);
  assert.equal(OrcTable.from({ ...good, unwind: good.unwind.subarray(6) }), undefined, 'of two lengths');
  assert.equal(OrcTable.from({ ...good, unwindIpAddress: 0x1000_0000 }), undefined, 'somewhere else');
});
