/** Metadata tables: ids, masks, order, lists; and rows that agree with the ABI's shape. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompletionCode as Code, MODULE_1_5, MODULE_2_0 } from '../../abi/index.ts';
import { cpuidRowsOf } from '../virt/cpuid-rows.ts';
import { CPUID_ORDER, CPUID_VALUE_CODES, canonicalCpuidCode, NO_SUBLEAF } from './cpuid-order.ts';
import { ALL_ONES } from './field-id.ts';
import { Accessor, type FieldRow, fieldRows, HOST_AND_GUEST_READ, HOST_READS, NONE, writable } from './field-row.ts';
import { FieldTable, FieldValue } from './field-table.ts';
import { dumpList } from './list.ts';
import { SYSTEM_FIELDS } from './sys.ts';
import { TD_FIELDS } from './td.ts';
import { VP_FIELDS } from './vp.ts';

interface Scope {
  value: bigint;
}

const row = fieldRows<Scope>('a test');
const rows: readonly FieldRow<Scope>[] = [
  row(0x1010_0001_0000_0000n, 'HIDDEN', HOST_READS, () => 7),
  row(0x1010_0001_0000_0001n, 'WORD', HOST_AND_GUEST_READ, () => 0x1_2345),
  row(0x1010_0001_0000_0002n, 'NEXT', HOST_AND_GUEST_READ, () => 2),
  row(0x1110_0003_0000_0010n, 'ARRAY', HOST_AND_GUEST_READ, (_, i) => BigInt(i), { fields: 2, elementsPerField: 3 }),
  row(0x1110_0002_0000_0020n, 'WRITABLE', [NONE, NONE, writable(0xf0n), NONE], ({ value }) => value, {
    write(scope, _, value) {
      scope.value = value;
      return Code.SUCCESS;
    },
  }),
  row(0x1210_0000_0000_0000n, 'NEW', HOST_AND_GUEST_READ, () => 1, { only20: true }),
];
const table = new FieldTable(rows);
const out = new FieldValue();
const halves = (id: bigint): [number, number] => [Number(id & 0xffff_ffffn) | 0, Number(id >> 32n) | 0];

const read = (
  id: bigint,
  by: Accessor = Accessor.GUEST,
  version = MODULE_1_5,
  scope: Scope = { value: 0x1_0000_00ffn },
) => [table.read(version, scope, by, ...halves(id), out), out.big];

test('an element is found by class and code; size, context and bit 63 do not matter', () => {
  for (const id of [0x1010_0001_0000_0001n, 0x9000_0003_0000_0001n, 0x1064_0000_0000_0001n])
    assert.deepEqual(read(id), [Code.SUCCESS, 0x2345n], id.toString(16));
  assert.deepEqual(read(0x1110_0003_0000_0015n), [Code.SUCCESS, 5n]);
});

test('malformed and unknown ids, and fields that are not for the reader', () => {
  for (const bit of [24n, 31n, 34n, 37n, 38n, 46n, 47n, 49n, 55n, 62n])
    assert.deepEqual(read(0x1010_0001_0000_0001n | (1n << bit)), [Code.METADATA_FIELD_ID_INCORRECT, 0n], `bit ${bit}`);
  for (const id of [0x1110_0003_0000_0016n, 0x1010_0001_0000_0003n, 0x1310_0001_0000_0000n, 0n])
    assert.deepEqual(read(id), [Code.METADATA_FIELD_ID_INCORRECT, 0n], id.toString(16));
  assert.deepEqual(read(0x1010_0001_0000_0000n), [Code.METADATA_FIELD_NOT_READABLE, 0n]);
  assert.deepEqual(read(0x1010_0001_0000_0000n, Accessor.HOST), [Code.SUCCESS, 7n]);
});

test('a field of module 2.0 is unknown to 1.5', () => {
  assert.deepEqual(read(0x1210_0000_0000_0000n), [Code.METADATA_FIELD_ID_INCORRECT, 0n]);
  assert.deepEqual(read(0x1210_0000_0000_0000n, Accessor.GUEST, MODULE_2_0), [Code.SUCCESS, 1n]);
});

test('writes: the mask, bits that may not change, the size', () => {
  const scope: Scope = { value: 0xabcn };
  const write = (value: bigint, mask: bigint, by: Accessor = Accessor.GUEST) => [
    table.write(MODULE_1_5, scope, by, ...halves(0x1110_0002_0000_0020n), value, mask, out),
    out.big,
  ];
  assert.deepEqual(write(0n, 0n), [Code.METADATA_FIELD_NOT_WRITABLE, 0n]);
  assert.deepEqual(write(0n, 0xfn), [Code.METADATA_FIELD_NOT_WRITABLE, 0n]);
  assert.deepEqual(write(0n, ALL_ONES, Accessor.HOST), [Code.METADATA_FIELD_NOT_WRITABLE, 0n]);
  assert.deepEqual(write(0xabdn, ALL_ONES), [Code.METADATA_FIELD_VALUE_NOT_VALID, 0n]);
  assert.deepEqual(write(0x1_0000_0abcn, ALL_ONES), [Code.METADATA_FIELD_VALUE_NOT_VALID, 0n], 'beyond the element');
  assert.equal(scope.value, 0xabcn);
  assert.deepEqual(write(0xaacn, ALL_ONES), [Code.SUCCESS, 0xabcn]);
  assert.deepEqual(write(0x1_0000_00ffn, 0x30n), [Code.SUCCESS, 0xaacn]);
  assert.equal(scope.value, (0xabcn & ~0x30n) | 0x30n);
});

test('the next element: of the array, of the next row that the reader may read, all ones at the end', () => {
  const next = (id: bigint, by: Accessor = Accessor.GUEST) => table.nextElement(MODULE_1_5, by, ...halves(id));
  assert.equal(next(ALL_ONES), 0x1010_0001_0000_0001n);
  assert.equal(next(ALL_ONES & ~(5n << 52n)), 0x1010_0001_0000_0001n, 'the context of a null id does not matter');
  assert.equal(next(ALL_ONES, Accessor.HOST), 0x1010_0001_0000_0000n);
  assert.equal(next(0x1010_0001_0000_0002n), 0x1110_0003_0000_0010n);
  assert.equal(next(0x9160_0000_0000_0010n), 0x9110_0000_0000_0011n, 'of one array, as it was asked for');
  assert.equal(next(0x1110_0003_0000_0015n), 0x1110_0002_0000_0020n);
  assert.equal(next(0x1110_0002_0000_0020n), ALL_ONES);
});

test('a list: sequences of fields that follow one another, as much as fits', () => {
  const words = (bytes: number, id = ALL_ONES) => {
    const list = new DataView(new ArrayBuffer(bytes));
    const { code, following } = dumpList(table, MODULE_1_5, { value: 3n }, Accessor.GUEST, ...halves(id), list);
    const length = list.getUint16(0, true);
    return { code, following, list: Array.from({ length: length / 8 }, (_, i) => list.getBigUint64(i * 8, true)) };
  };
  const whole = words(256);
  assert.deepEqual(whole, {
    code: Code.SUCCESS,
    following: ALL_ONES,
    list: [
      (3n << 16n) | 104n,
      0x1010_0001_0000_0001n | (1n << 38n),
      0x2345n,
      2n,
      0x1110_0003_0000_0010n | (2n << 34n) | (1n << 38n),
      0n,
      1n,
      2n,
      3n,
      4n,
      5n,
      0x1110_0002_0000_0020n,
      3n,
    ],
  });
  const first = words(72);
  assert.equal(first.code, Code.METADATA_LIST_OVERFLOW);
  assert.equal(first.following, 0x1110_0003_0000_0013n, 'a field that does not fit is not begun');
  assert.equal(words(256, first.following).list.length, 1 + 1 + 3 + 2);
  for (const wrong of [0x1110_0003_0000_0011n, 0x1110_0002_0000_0010n, 0x1110_0003_0000_0030n])
    assert.equal(words(256, wrong).code, Code.METADATA_FIELD_ID_INCORRECT, 'middle of a field, other size, unknown');
});

test('the rows of the module: no element twice, names and sources, no writer without a mask', () => {
  const tables = [SYSTEM_FIELDS, TD_FIELDS, VP_FIELDS] as readonly (readonly FieldRow<never>[])[];
  const of15 = tables.map((rows) => rows.filter(({ only20 }) => only20 !== true));
  const of20 = tables.map((rows) => rows.filter(({ only15 }) => only15 !== true));
  for (const fields of [...of15, ...of20]) {
    const seen = new Set<bigint>();
    for (const { id, name, fields: count, elementsPerField, codes, source, access, write } of fields) {
      assert.match(name, /^\S/);
      assert.match(source, /TDX Module 1\.5 ABI Definition/);
      const stride = (id >> 50n) & 1n ? 2n : 1n;
      for (let i = 0; i < count * elementsPerField; i++) {
        const code = codes === undefined ? (id & 0xff_ffffn) + BigInt(i) * stride : BigInt(codes[i]!);
        const key = (((id >> 56n) & 0x3fn) << 24n) | code;
        assert.ok(!seen.has(key), `${name} ${i}`);
        seen.add(key);
      }
      if (write !== undefined)
        assert.ok(
          access.some((rights) => rights.write !== 0n),
          name,
        );
    }
  }
});

test('CPUID_VALUES has the leaves of the CPUID table, each by its code', () => {
  for (const { index, leaf, subleaf } of cpuidRowsOf(MODULE_1_5))
    assert.deepEqual(CPUID_ORDER[index], [leaf, subleaf ?? NO_SUBLEAF]);
  assert.equal(CPUID_ORDER.length, 64, 'module 1.5.01');
  const leaf7 = CPUID_ORDER.findIndex(([leaf, subleaf]) => leaf === 7 && subleaf === 1);
  assert.equal(CPUID_VALUE_CODES[leaf7 * 2 + 1], (7 << 9) | (1 << 1) | 1);
  const extended = CPUID_ORDER.findIndex(([leaf, subleaf]) => leaf === 0x8000_0008 && subleaf === NO_SUBLEAF);
  assert.equal(CPUID_VALUE_CODES[extended * 2], (1 << 16) | (8 << 9) | (1 << 8) | 0xfe);
  assert.equal(canonicalCpuidCode((1 << 16) | (8 << 9) | (1 << 8)), CPUID_VALUE_CODES[extended * 2]);
});
