import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CpuState, S, SecondLevel, STATE_BYTES } from '../cpu/index.ts';
import { HostMemory } from '../memory/index.ts';
import { LinearPages, signedAddress } from './linear-pages.ts';
import { walkLinear } from './linear-walk.ts';

const LMA = 0x400;
const LA57 = 0x1000;
const PG = 0x8000_0001n;
const SHARED_BIT = 2 ** 47;
/** guest physical pages that exist: tables and frames alike */
const PAGES = 8;

/** Guest pages 0 to 7, scattered over the host's memory, and page 1 again with the shared bit. */
class Bench {
  readonly memory = new HostMemory(1 << 20);
  readonly state = new CpuState(this.memory.wasm, this.memory.reserveProcessorArea(STATE_BYTES));
  readonly secondLevel = new SecondLevel();
  readonly pages = new LinearPages(this);

  constructor() {
    this.state.set(S.efer, LMA, 0);
    for (let page = 0; page < PAGES; page++)
      this.secondLevel.set(page * 4096, SecondLevel.entry(this.hostPage(page), SecondLevel.Read));
    this.secondLevel.set(SHARED_BIT + 4096, SecondLevel.entry(this.hostPage(1), SecondLevel.Read));
  }

  forget(): void {
    this.memory.u8.fill(0, this.memory.ramBase, this.memory.ramBase + 4096 * PAGES);
  }

  hostPage(page: number): number {
    return this.memory.ramBase + 4096 * ((page * 5) % PAGES);
  }

  setEntry(table: number, index: number, value: bigint): void {
    this.memory.view.setBigUint64(this.hostPage(table) + 8 * index, value, true);
  }
}

const indices = [0, 1, 256, 511];
const entry = fc
  .record({
    frame: fc.nat(PAGES),
    high: fc.constantFrom(0n, 0n, 0n, 0n, BigInt(SHARED_BIT), 1n << 63n),
    flags: fc.constantFrom(0n, 3n, 3n, 3n, 3n, 3n, 3n, 0x83n),
  })
  .map(({ frame, high, flags }) => (BigInt(frame) << 12n) | high | flags);
const entries = fc.array(fc.tuple(fc.nat(PAGES - 1), fc.constantFrom(...indices), entry), {
  minLength: 60,
  maxLength: 120,
});
const address = fc
  .tuple(fc.constantFrom(...indices), fc.array(fc.constantFrom(...indices), { minLength: 4, maxLength: 4 }))
  .map(([top, rest]) => BigInt.asUintN(57, [top, ...rest].reduce((all, i) => (all << 9n) | BigInt(i), 0n) << 12n));

for (const [levels, cr4] of [
  [4, 0],
  [5, LA57],
] as const)
  test(`finds what the walk of reports finds: ${levels} levels`, () => {
    const bench = new Bench();
    bench.state.set(S.cr4, cr4, 0);
    let mappedPages = 0;
    fc.assert(
      fc.property(entries, address, (table, bits) => {
        bench.forget();
        for (const [page, index, value] of table) bench.setEntry(page, index, value);
        const linear = BigInt.asUintN(64, BigInt.asIntN(levels === 5 ? 57 : 48, bits)) | 0x128n;
        const { memory, secondLevel } = bench;
        const { steps, gpa } = walkLinear(
          { cr0: PG, cr3: 0n, cr4: BigInt(cr4), efer: BigInt(LMA) },
          linear,
          (at, bytes) => {
            const found = secondLevel.lookup(Number(at));
            const host = SecondLevel.hpaOf(found) + Number(at & 0xfffn);
            return found === 0 || bytes !== 8 ? undefined : memory.view.getBigUint64(host, true);
          },
        );
        const signed = signedAddress(Number(BigInt.asIntN(32, linear)), Number(BigInt.asIntN(32, linear >> 32n)));
        assert.equal(bench.pages.physicalOf(signed), gpa === undefined ? -1 : Number(gpa));
        if (gpa !== undefined) mappedPages++;
        const mapped = 4096 * 512 ** (steps.at(-1)!.level - 1);
        assert.equal(bench.pages.spanBytes, mapped - Number(linear & BigInt(mapped - 1)));
      }),
      { numRuns: 500 },
    );
    assert.ok(mappedPages > 50, `${mappedPages} of the addresses were mapped`);
  });

test('reads across pages, up to the first that is not mapped; sets no bit', () => {
  const bench = new Bench();
  bench.setEntry(0, 511, 0x1003n);
  bench.setEntry(1, 510, 0x2003n);
  bench.setEntry(2, 0, 0x3003n);
  bench.setEntry(3, 0, 0x4003n);
  bench.setEntry(3, 1, 0x5003n);
  bench.memory.u8.fill(4, bench.hostPage(4), bench.hostPage(4) + 4096);
  bench.memory.u8.fill(5, bench.hostPage(5), bench.hostPage(5) + 4096);
  const before = bench.memory.u8.slice(bench.memory.ramBase);
  const start = -0x8000_0000;
  assert.deepEqual(bench.pages.read(start + 4094, 4), Uint8Array.of(4, 4, 5, 5));
  assert.equal(bench.pages.read(start + 4096, 10_000).length, 4096);
  assert.equal(bench.pages.read(start - 4096, 8).length, 0);
  assert.deepEqual(bench.memory.u8.slice(bench.memory.ramBase), before);
});

test('sees nothing outside of long mode, and what the second level hides', () => {
  const bench = new Bench();
  for (const table of [0, 1, 2]) bench.setEntry(table, 0, BigInt(table + 1) * 4096n + 3n);
  bench.setEntry(3, 0, 0x9003n);
  assert.equal(bench.pages.physicalOf(8), 0x9008);
  assert.equal(bench.pages.hostOfLinear(8), -1);
  bench.state.set(S.efer, 0, 0);
  assert.equal(bench.pages.physicalOf(8), -1);
});
