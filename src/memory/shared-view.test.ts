import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostMemory } from './host-memory.ts';
import { PrivateMemoryError, SharedView } from './shared-view.ts';

const PAGE = 4096;

function memories() {
  const memory = new HostMemory(1 << 20);
  return { memory, view: new SharedView(memory), base: memory.ramBase };
}

test('what is written is read, in every width', () => {
  const { view, base } = memories();
  view.write8(base, 0x11);
  view.write16(base + 2, 0x2233);
  view.write32(base + 4, 0x4455_6677);
  view.write64(base + 8, 0x8899_aabb_ccdd_eeffn);
  assert.deepEqual(
    [...view.read(base, 16)],
    [0x11, 0, 0x33, 0x22, 0x77, 0x66, 0x55, 0x44, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88],
  );
  assert.equal(view.read8(base), 0x11);
  assert.equal(view.read16(base + 2), 0x2233);
  assert.equal(view.read32(base + 4), 0x4455_6677);
  assert.equal(view.read64(base + 8), 0x8899_aabb_ccdd_eeffn);
  const copy = view.read(base, 1);
  copy[0] = 0;
  assert.equal(view.read8(base), 0x11, 'a copy, not a window');
});

test('an access that touches one private page is refused whole', () => {
  const { memory, view, base } = memories();
  memory.keyIdOfPage[base / PAGE + 1] = 3;
  for (const access of [
    () => view.read(base + PAGE - 1, 2),
    () => view.write(base + PAGE - 1, new Uint8Array(2)),
    () => view.fill(base, 3 * PAGE, 1),
    () => view.read64(base + PAGE - 4),
    () => view.write32(base + PAGE, 0),
  ])
    assert.throws(
      access,
      (error) => error instanceof PrivateMemoryError && error.hpa === base + PAGE && error.keyId === 3,
    );
  assert.equal(view.read8(base), 0);
  assert.equal(view.isShared(base, PAGE), true);
  assert.equal(view.isShared(base, PAGE + 1), false);
});

test('outside RAM is a range error', () => {
  const { view, base } = memories();
  assert.throws(() => view.read8(base - 1), RangeError);
  assert.throws(() => view.read(base + (1 << 20) - 1, 2), RangeError);
  assert.throws(() => view.read(base, -1), RangeError);
});

test('pages that software wrote are known', () => {
  const { memory, view, base } = memories();
  view.read(base, PAGE);
  assert.equal(memory.writtenPage[base / PAGE], 0);
  view.write(base + PAGE - 1, new Uint8Array(2));
  view.write(base + 3 * PAGE, new Uint8Array(0));
  assert.deepEqual(
    [0, 1, 2, 3].map((page) => memory.writtenPage[base / PAGE + page]),
    [1, 1, 0, 0],
  );
});
