import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PagingRegisters, walkLinear } from './linear-walk.ts';

const PG = 0x8000_0001n;
const none = () => undefined;
const from = (entries: Record<string, bigint>) => (gpa: bigint) => entries[gpa.toString(16)];

test('without paging the linear address is the physical one', () => {
  const registers: PagingRegisters = { cr0: 1n, cr3: 0n, cr4: 0n, efer: 0n };
  assert.equal(walkLinear(registers, 0xffff_fff0n, none).gpa, 0xffff_fff0n);
});

test('four levels, a 4 KiB page whose address has the shared bit', () => {
  const registers: PagingRegisters = { cr0: PG, cr3: 0x1000n, cr4: 0x20n, efer: 0x500n };
  const read = from({
    '1ff8': 0x2003n,
    '2ff0': 0x3003n,
    '3000': 0x4003n,
    '4008': (1n << 47n) | 0x5003n | (1n << 63n),
  });
  const walk = walkLinear(registers, 0xffff_ffff_8000_1abcn, read);
  assert.equal(walk.gpa, (1n << 47n) | 0x5abcn);
  assert.deepEqual(
    walk.steps.map(({ level }) => level),
    [4, 3, 2, 1],
  );
});

test('large pages of every kind of table', () => {
  const long: PagingRegisters = { cr0: PG, cr3: 0x1000n, cr4: 0x20n, efer: 0x500n };
  assert.equal(walkLinear(long, 0x1234_5678n, from({ '1000': 0x2003n, '2000': 0x4000_0083n })).gpa, 0x5234_5678n);
  const directory = from({ '1000': 0x2003n, '2000': 0x3003n, '3488': 0x0060_0083n });
  assert.equal(walkLinear(long, 0x1234_5678n, directory).gpa, 0x0074_5678n);
  const pae: PagingRegisters = { cr0: PG, cr3: 0x1020n, cr4: 0x20n, efer: 0n };
  assert.equal(walkLinear(pae, 0x4000_0123n, from({ '1028': 0x2001n, '2000': 0x0020_0083n })).gpa, 0x0020_0123n);
  const plain: PagingRegisters = { cr0: PG, cr3: 0x1000n, cr4: 0x10n, efer: 0n };
  assert.equal(walkLinear(plain, 0x0040_0123n, from({ '1004': 0x0080_0083n })).gpa, 0x0080_0123n);
  assert.equal(walkLinear(plain, 0x0040_1123n, from({ '1004': 0x2003n, '2004': 0x7003n })).gpa, 0x7123n);
});

test('five levels', () => {
  const registers: PagingRegisters = { cr0: PG, cr3: 0x1000n, cr4: 0x1020n, efer: 0x500n };
  const read = from({ '1008': 0x2003n, '2000': 0x3003n, '3000': 0x4003n, '4000': 0x5003n, '5000': 0x6003n });
  assert.equal(walkLinear(registers, 1n << 48n, read).gpa, 0x6000n);
});

test('where an entry is not present, or cannot be read, the walk ends there', () => {
  const registers: PagingRegisters = { cr0: PG, cr3: 0x1000n, cr4: 0x20n, efer: 0x500n };
  const walk = walkLinear(registers, 0n, from({ '1000': 0x2003n, '2000': 0n }));
  assert.equal(walk.gpa, undefined);
  assert.deepEqual(walk.steps.at(-1), { level: 3, entryGpa: 0x2000n, entry: 0n });
  assert.equal(walkLinear(registers, 0n, none).steps.length, 1);
});
