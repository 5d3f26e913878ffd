import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostPages, OutOfHostMemory, PAGE_2M_BYTES, PAGE_4K_BYTES } from './host-pages.ts';

test('every page is handed out once, inside the range, aligned', () => {
  const base = 0x30_0000; // not on a large page
  const length = 0x60_0000;
  const pages = new HostPages(base, length);
  const large = pages.tryTake2M()!;
  assert.equal(large % PAGE_2M_BYTES, 0);
  const seen = new Set<number>();
  for (let i = 0; i < (length - PAGE_2M_BYTES) / PAGE_4K_BYTES; i++) seen.add(pages.take4K());
  assert.equal(seen.size, (length - PAGE_2M_BYTES) / PAGE_4K_BYTES);
  for (const hpa of seen) {
    assert.equal(hpa % PAGE_4K_BYTES, 0);
    assert.ok(hpa >= base && hpa < base + length);
    assert.ok(hpa < large || hpa >= large + PAGE_2M_BYTES, 'outside the large page');
  }
  assert.equal(pages.tryTake2M(), undefined);
  assert.throws(() => pages.take4K(), OutOfHostMemory);
});

test('what is given back is handed out again, and a freed large page can be split', () => {
  const pages = new HostPages(0, PAGE_2M_BYTES);
  const large = pages.tryTake2M()!;
  pages.give2M(large);
  assert.equal(pages.tryTake2M(), large);
  pages.give2M(large);
  const small = pages.take4K();
  assert.equal(small, large);
  pages.give4K(small);
  assert.equal(pages.take4K(), small);
});
