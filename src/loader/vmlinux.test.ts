import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBytes, wholeOf } from '../bits/index.ts';
import { LoadError } from './plan.ts';
import { SETUP_HEADER_START, SETUP_MAGIC, SetupHeader } from './setup-header.ts';
import { loadVmlinux } from './vmlinux.ts';

interface Segment {
  physical: bigint;
  virtual: bigint;
  content: number[];
  memoryBytes: number;
}

/** An ELF64 executable without sections. */
function elf(entry: bigint, segments: Segment[]): Uint8Array {
  const tableEnd = 64 + 56 * segments.length;
  const bytes = new Uint8Array(tableEnd + segments.reduce((sum, segment) => sum + segment.content.length, 0));
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setBigUint64(24, entry, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  let offset = tableEnd;
  segments.forEach((segment, index) => {
    const at = 64 + 56 * index;
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, 7, true);
    view.setBigUint64(at + 8, BigInt(offset), true);
    view.setBigUint64(at + 16, segment.virtual, true);
    view.setBigUint64(at + 24, segment.physical, true);
    view.setBigUint64(at + 32, BigInt(segment.content.length), true);
    view.setBigUint64(at + 40, BigInt(segment.memoryBytes), true);
    bytes.set(segment.content, offset);
    offset += segment.content.length;
  });
  return bytes;
}

const text = { physical: 0x100_0000n, virtual: 0xffff_ffff_8100_0000n, content: [1, 2, 3], memoryBytes: 3 };
const data = { physical: 0x100_0800n, virtual: 0xffff_ffff_8100_0800n, content: [4, 5], memoryBytes: 0x3000 };

test('segments go to their physical addresses; those that share a page become one piece', () => {
  const image = loadVmlinux(elf(0x100_0002n, [text, data]), 'vmlinux');
  assert.equal(image.pieces.length, 1);
  assert.deepEqual([...readBytes(image.pieces[0]!.content, 0x7fe, 0x803)], [0, 0, 4, 5, 0]);
  assert.equal(image.entryGpa, 0x100_0002);
  assert.equal(image.windowEnd, 0x100_3800);
});

test('a virtual entry point is translated', () => {
  assert.equal(loadVmlinux(elf(0xffff_ffff_8100_0001n, [text]), 'vmlinux').entryGpa, 0x100_0001);
});

test('the setup header is synthesised', () => {
  const { setupHeader } = loadVmlinux(elf(0x100_0000n, [text]), 'vmlinux');
  const view = new DataView(setupHeader.buffer, setupHeader.byteOffset);
  assert.equal(view.getUint32(SetupHeader.magic - SETUP_HEADER_START, true), SETUP_MAGIC);
  assert.notEqual(view.getUint32(SetupHeader.kernelAlignment - SETUP_HEADER_START, true), 0);
});

test('what is not a kernel is refused in one sentence', () => {
  const whole = elf(0x100_0000n, [text]);
  const changed = (offset: number, value: number) => whole.map((byte, index) => (index === offset ? value : byte));
  const cases: [Uint8Array, RegExp][] = [
    [whole.subarray(0, 40), /vmlinux is truncated: its header/],
    [whole.subarray(0, 100), /vmlinux is truncated: its program header table/],
    [whole.subarray(0, whole.length - 1), /vmlinux is truncated: segment 0/],
    [changed(4, 1), /32-bit ELF file/],
    [changed(18, 183), /another processor \(machine 183\)/],
    [changed(16, 1), /without a program to load/],
    [elf(0x40_0000n, [{ ...text, physical: 0n }]), /segment wants physical address 0x0/],
    [elf(0x5n, [text]), /its entry point 0x5 lies in none of its segments/],
  ];
  for (const [bytes, sentence] of cases)
    assert.throws(
      () => loadVmlinux(bytes, 'vmlinux'),
      (error: unknown) => error instanceof LoadError && sentence.test(error.message),
      String(sentence),
    );
});

test('of a file that is not in memory only what is asked for is read', () => {
  const bytes = elf(0x100_0002n, [text, { ...data, physical: 0x101_0000n }]);
  const reads: number[] = [];
  const read = (start: number, end: number): Uint8Array => {
    reads.push(start);
    return bytes.slice(start, end);
  };
  const [stored, inMemory] = [{ length: bytes.length, read }, bytes].map((each) => loadVmlinux(each, 'vmlinux'));
  assert.deepEqual(
    stored!.pieces.map(({ content }) => wholeOf(content)),
    inMemory!.pieces.map(({ content }) => wholeOf(content)),
  );
  assert.deepEqual({ ...stored, pieces: [] }, { ...inMemory, pieces: [] });
  assert.ok(reads.length > 0);
});
