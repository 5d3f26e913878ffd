import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesOf, LABEL_BYTES, type Label, type LabelledPart } from './labelled-stream.ts';

const label = (fill: number, contentBytes: number, isZero = false): Label => ({
  block: new Uint8Array(LABEL_BYTES).fill(fill),
  contentBytes,
  isZero,
});
const LABELS = [label(1, 0), label(2, 256), label(3, 4096), label(4, 512, true)];
const keptBytes = ({ contentBytes, isZero }: Label): number => (isZero === true ? 0 : contentBytes);

interface Row {
  readonly which: number;
  readonly address: number;
  readonly count: number;
}

const row: fc.Arbitrary<Row> = fc.record({
  which: fc.integer({ min: 0, max: LABELS.length - 1 }),
  address: fc.oneof(fc.integer({ min: 0, max: 2 ** 32 }), fc.integer({ min: 0, max: 2 ** 52 - 1 })),
  count: fc.integer({ min: 1, max: 40 }),
});

function partOf(rows: readonly Row[]): LabelledPart {
  const bytes = rows.reduce((sum, { which, count }) => sum + count * keptBytes(LABELS[which]!), 0);
  return {
    rows: Float64Array.from(rows.flatMap(({ which, address, count }) => [which, address, count])),
    content: Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + (i >> 8)) & 0xff),
  };
}

/** One label and what it names at a time. */
function expected(rows: readonly Row[], { content }: LabelledPart): Buffer[] {
  let from = 0;
  return rows.flatMap(({ which, address, count }) =>
    Array.from({ length: count }, (_, i) => {
      const { block, contentBytes } = LABELS[which]!;
      const kept = keptBytes(LABELS[which]!);
      const named = Buffer.alloc(LABEL_BYTES + contentBytes);
      named.set(block);
      named.set(content.subarray(from, from + kept), LABEL_BYTES);
      named.writeBigUInt64LE(BigInt(address + i * contentBytes), 16);
      from += kept;
      return named;
    }),
  );
}

test('labels stand before what they name, with its address', () => {
  const property = fc.property(fc.array(fc.array(row, { maxLength: 6 }), { maxLength: 4 }), (lists) => {
    const parts = lists.map(partOf);
    const pieces = Array.from(bytesOf({ labels: LABELS, parts }), (piece) => Buffer.from(piece));
    const all = Buffer.concat(lists.flatMap((rows, i) => expected(rows, parts[i]!)));
    assert.ok(Buffer.concat(pieces).equals(all));
    assert.ok(pieces.every((piece) => piece.length % LABEL_BYTES === 0));
  });
  fc.assert(property, { numRuns: 50 });
});
