/** The host's division of memory, of any size: what the module says of it, and whether a TD still fits beside the metadata. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hostMemoryFor } from '../../src/machine/config.ts';
import { HostMemory } from '../../src/memory/index.ts';
import { Tdmr, tdmrFault } from '../../src/seam/tdmr.ts';
import { layOutTdmr } from '../../src/vmm/tdmr-layout.ts';

const MIB = 1 << 20;
const GIB = 2 ** 30;
/** tables for each 2 MiB, and what a TD has of its own */
const beside = (guestBytes: number) => Math.ceil(guestBytes / 512) + 8 * MIB;

/** Lays out so much RAM from `ramBase` on; returns where the metadata begins. */
function check(ramBase: number, ramBytes: number): number {
  const { info, pamtBase, lengthBytes } = layOutTdmr({ ramBase, ramBytes });
  const tdmr = Tdmr.read(new DataView(info.buffer));
  const ram = { base: ramBase, size: ramBytes };
  assert.equal(tdmrFault([tdmr], ram), undefined, `${ramBytes / MIB} MiB`);
  assert.equal(lengthBytes % GIB, 0);
  assert.deepEqual(
    tdmr.available,
    [{ base: ramBase, size: pamtBase - ramBase }],
    'all that is not metadata may be private',
  );
  const areas = [...tdmr.available, ...tdmr.pamts].sort((a, b) => a.base - b.base);
  for (const [i, { base, size }] of areas.entries()) {
    assert.equal(base % 4096, 0);
    assert.ok(size > 0);
    if (i > 0) assert.equal(base, areas[i - 1]!.base + areas[i - 1]!.size, 'no overlap, and nothing in between');
  }
  assert.equal(areas.at(-1)!.base + areas.at(-1)!.size, ramBase + ramBytes);
  return pamtBase;
}

test('metadata of any RAM lies at its top, and the module finds nothing wrong with it', () => {
  const pages = fc.integer({ min: 16 * 256, max: 4 * 1024 * 256 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4096 }), pages, (basePages, ramPages) => {
      check(basePages * 4096, ramPages * 4096);
    }),
    { numRuns: 300, seed: 1 },
  );
});

test('host RAM for guests of 16 MiB to 3 GiB is enough for the guest and its metadata', () => {
  const { ramBase } = new HostMemory(4 * MIB);
  const enough = (guestBytes: number) => {
    const ramBytes = hostMemoryFor(guestBytes);
    const left = check(ramBase, ramBytes) - ramBase;
    assert.ok(
      left >= guestBytes + beside(guestBytes),
      `${guestBytes / MIB} MiB leave ${(left - guestBytes) / MIB} MiB`,
    );
    assert.ok(ramBytes < guestBytes * 1.01 + 48 * MIB, `${ramBytes / MIB} MiB for ${guestBytes / MIB} MiB`);
  };
  for (const mib of [16, 64, 512, 1000, 1023, 1024, 1025, 2000, 2047, 2048, 3000, 3071, 3072]) enough(mib * MIB);
  fc.assert(
    fc.property(fc.integer({ min: 16, max: 3072 }), (mib) => enough(mib * MIB)),
    { numRuns: 300, seed: 1 },
  );
});
