import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HostMemory } from '../../memory/index.ts';
import { Cr0, Cr4, Efer } from '../architecture.ts';
import { Controls } from '../controls.ts';
import { JumpCaches } from '../engine/jump-caches.ts';
import { DATA_TLB_BYTES, DATA_TLB_ENTRY_BYTES, dataEntryOffset, QUICK_OFFSET } from '../engine/tlb.ts';
import { ExitRecord } from '../exit.ts';
import type { Processor } from '../processor.ts';
import { Access, SecondLevel } from '../second-level.ts';
import { CpuState, S, STATE_BYTES } from '../state.ts';
import { withGeneratedWalk } from './generated-walk.ts';
import { SecondLevelCache } from './second-level-cache.ts';
import { Tlbs } from './tlbs.ts';
import { PageWalker, reservedHigh } from './walk.ts';

const TABLE_PAGES = 5;
const PAGES = 16;
const WIDTH_BITS = 46;
const ASKED_HOST = 0;

class Bench {
  readonly memory = new HostMemory(1 << 20);
  readonly state = new CpuState(this.memory.wasm, this.memory.reserveProcessorArea(STATE_BYTES));
  readonly controls = new Controls();
  readonly exit = new ExitRecord();
  readonly secondLevel = new SecondLevel();
  readonly seen = new SecondLevelCache(this.memory);
  readonly walker = new PageWalker(this as unknown as Processor, this.seen);
  readonly tlbs = new Tlbs(this.memory, this.state, new JumpCaches(this.memory));
  readonly access = withGeneratedWalk(this.memory, {
    load: () => ASKED_HOST,
    store: () => ASKED_HOST,
    modify: () => ASKED_HOST,
    modifyEnd: () => 1,
  });

  constructor() {
    this.controls.guestPhysicalAddressBits = WIDTH_BITS;
    this.state.setLow(S.dataTlb, this.tlbs.data + DATA_TLB_BYTES);
    this.state.setLow(S.walkSlots, this.seen.base);
    this.state.set(S.walkReserved, 0, reservedHigh(WIDTH_BITS, true, true));
  }

  /** The copies of entries that compiled code uses: first words of their tags. */
  get quickTags(): readonly number[] {
    const at = this.state.low(S.dataTlb);
    const copies = this.memory.i32.subarray((at + QUICK_OFFSET) >> 2, (at + DATA_TLB_BYTES) >> 2);
    return [...copies].filter((_, word) => word % 8 === 0 || word % 8 === 2);
  }

  /** Tags that are not -1 in all of them. */
  fillQuick(): void {
    const at = this.state.low(S.dataTlb);
    this.memory.i32.fill(0, (at + QUICK_OFFSET) >> 2, (at + DATA_TLB_BYTES) >> 2);
  }

  /** As compiled code does: an entry's copy. */
  makeQuick(low: number): void {
    const from = (this.state.low(S.dataTlb) + dataEntryOffset(low)) >> 2;
    const to = (this.state.low(S.dataTlb) + QUICK_OFFSET) >> 2;
    this.memory.i32.copyWithin(to, from, from + DATA_TLB_ENTRY_BYTES / 4);
  }

  /** The data TLB entry of an address, and how many entries count as local. */
  entry(low: number): readonly number[] {
    const at = (this.state.low(S.dataTlb) + dataEntryOffset(low)) >> 2;
    return [...this.memory.i32.subarray(at, at + DATA_TLB_ENTRY_BYTES / 4), this.state.low(S.localFills)];
  }
}

const bit = (value: number): fc.Arbitrary<number> => fc.constantFrom(0, value);
/** Mostly set: a walk that fails early says little. */
const mostly = (value: number): fc.Arbitrary<number> => fc.nat(30).map((nothing) => (nothing === 0 ? 0 : value));
const seldom = (value: number): fc.Arbitrary<number> => fc.nat(30).map((something) => (something === 0 ? value : 0));

/** Bits of an entry by name: P W U, PS, G, and in the high half a reserved bit and NX. */
const entryBits = fc
  .tuple(
    mostly(1),
    mostly(2),
    mostly(4),
    fc.nat(6).map((large) => (large === 0 ? 0x80 : 0)),
    bit(0x100),
    seldom(0x4000),
  )
  .map((bits) => bits.reduce((a, b) => a | b, 0));
const entryHigh = fc
  .tuple(seldom(1 << 15), bit(1 << 31), fc.constantFrom(0, 0, 1, 15))
  .map(([reserved, noExecute, key]) => reserved | noExecute | (key << 27));

/** Does the entry of this table, counted from the root of five levels, map a page? */
const isLeaf = ([bits]: readonly [number, number], level: number) =>
  level === TABLE_PAGES - 1 || (level >= 2 && (bits & 0x80) !== 0);

/** A key that forbids anything, or a global page that has a key. */
function isForHost(path: readonly (readonly [number, number])[], cr4: number, pkru: number, pkrs: number): boolean {
  const [bits, high] = path.at(-1)!;
  const forbids = (keys: number) => ((keys >>> (((high >>> 27) & 15) * 2)) & 3) !== 0;
  const outlives = path.every(([entry]) => (entry & 4) !== 0) && (bits & 0x100) !== 0;
  return ((cr4 & Cr4.PKE) !== 0 && (forbids(pkru) || outlives)) || ((cr4 & Cr4.PKS) !== 0 && forbids(pkrs));
}

const scene = fc.record({
  entries: fc.array(fc.tuple(entryBits, entryHigh), { minLength: TABLE_PAGES, maxLength: TABLE_PAGES }),
  frame: fc.integer({ min: TABLE_PAGES, max: PAGES - 1 }),
  rights: fc.array(
    mostly(7).chain((all) => (all === 7 ? fc.constant(7) : fc.nat(7))),
    { minLength: PAGES, maxLength: PAGES },
  ),
  cr0: fc.tuple(mostly(Cr0.PG), bit(Cr0.WP)).map(([pg, wp]) => Cr0.PE | pg | wp),
  cr4: fc
    .tuple(mostly(Cr4.PGE), bit(Cr4.SMAP), bit(Cr4.LA57), bit(Cr4.PKE), bit(Cr4.PKS))
    .map((bits) => bits.reduce((a, b) => a | b, Cr4.PAE)),
  pkru: fc.constantFrom(0, 0, 0x5555_5554, 4, 8, 1, 2, -1),
  pkrs: fc.constantFrom(0, 0, 0x5555_5554, 4, 8, -1),
  efer: mostly(Efer.NXE).map((nxe) => Efer.LME | Efer.LMA | nxe),
  cpl: fc.constantFrom(0, 3),
  ac: bit(1 << 18),
  linear: fc.tuple(fc.nat(0xffff_ffff), fc.constantFrom(0, 0x7abc, -1, -1, 0x00fe_dcba)),
  isCode: seldom(1),
  access: fc.constantFrom('load', 'store', 'modify' as const),
});

test('generated code walks as the host does, and asks it where it has to', () => {
  const b = new Bench();
  let walked = 0;
  fc.assert(
    fc.property(
      scene,
      ({ entries, frame, rights, cr0, cr4, efer, pkru, pkrs, cpl, ac, linear: [low, high], isCode, access }) => {
        const { memory, state } = b;
        b.seen.forget();
        b.tlbs.flush(true);
        memory.u8.fill(0, memory.codePages, memory.codePages + memory.writtenPage.length);
        rights.forEach((right, page) => {
          b.secondLevel.set(page * 4096, SecondLevel.entry(memory.ramBase + page * 4096, right));
        });
        // one table per level, all of whose entries are alike, so that any address finds its way
        entries.forEach(([bits, entryHigh], level) => {
          const target = level === TABLE_PAGES - 1 || (bits & 0x80) !== 0 ? frame : level + 1;
          const from = (memory.ramBase + level * 4096) >> 2;
          for (let index = 0; index < 1024; index += 2) {
            memory.i32[from + index] = ((bits & 0x80) !== 0 && frame % 2 === 0 ? 0 : target * 4096) | bits;
            memory.i32[from + index + 1] = entryHigh;
          }
        });
        state.set(S.cr0, cr0, 0);
        state.set(S.cr4, cr4, 0);
        state.set(S.efer, efer, 0);
        state.set(S.cr3, (cr4 & Cr4.LA57) !== 0 ? 0 : 0x1000, 0);
        state.setLow(S.pkru, pkru);
        state.setLow(S.pkrs, pkrs);
        state.setLow(S.cpl, cpl);
        state.setLow(S.rflags, 2 | ac);
        const wanted = { load: Access.Read, store: Access.Write, modify: Access.Read | Access.Write }[access];
        const address = low & ~7;

        const before = memory.u8.slice(memory.ramBase, memory.ramBase + TABLE_PAGES * 4096);
        const first = b.access[access](state.base, address, high, 8);
        assert.equal(first, ASKED_HOST, 'no entry has been used, and no second-level entry been seen');
        assert.deepEqual(memory.u8.slice(memory.ramBase, memory.ramBase + TABLE_PAGES * 4096), before);

        const ok = b.walker.walk(address, high, wanted, cpl === 3, cpl !== 3 && ac !== 0);
        const { hostPage, readable, writable, global } = b.walker;
        const path = entries.slice((cr4 & Cr4.LA57) !== 0 ? 0 : 1, 1 + entries.findIndex(isLeaf));
        let expected: readonly number[] | undefined;
        if (ok && b.walker.isRam) {
          memory.u8[memory.codePages + (hostPage >>> 12)] = isCode;
          b.tlbs.fillData(state.low(S.dataTlb), address, high, hostPage, readable, writable && isCode === 0, global);
          expected = b.entry(address);
          b.tlbs.flush(true);
        }
        b.fillQuick();
        const answer = b.access[access](state.base, address, high, 8);
        const isUsual =
          (cr0 & Cr0.PG) !== 0 &&
          (efer & Efer.NXE) !== 0 &&
          !(isCode === 1 && access !== 'load') &&
          !isForHost(path, cr4, pkru, pkrs);
        if (expected === undefined || !isUsual || !readable) {
          assert.equal(answer, ASKED_HOST);
          return;
        }
        walked++;
        assert.equal(answer, access === 'store' ? 1 : hostPage + (address & 4095));
        assert.deepEqual(b.entry(address), expected);
        assert.ok(b.quickTags.every((tag) => tag === -1));
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(walked > 100, `only ${walked} walks were done by generated code`);
});

test('a copy of an entry holds no longer than the entry', () => {
  const b = new Bench();
  const tlb = b.state.low(S.dataTlb);
  const changes: Record<string, () => void> = {
    'another entry is filled': () => b.tlbs.fillData(tlb, 0x40_0000, 0, b.memory.ramBase, true, true, false),
    'a page is flushed': () => b.tlbs.flushPage(0x1000, 0),
    'what is not global is flushed': () => b.tlbs.flush(false),
    'local data is flushed': () => b.tlbs.flushLocalData(),
    'everything is flushed': () => b.tlbs.flush(true),
  };
  for (const [name, change] of Object.entries(changes)) {
    b.tlbs.fillData(tlb, 0x1000, 0, b.memory.ramBase, true, true, false);
    b.makeQuick(0x1000);
    assert.deepEqual(b.quickTags.slice(0, 2), [0x1000, 0x1000]);
    change();
    assert.ok(
      b.quickTags.every((tag) => tag === -1),
      name,
    );
  }
  b.tlbs.fillData(tlb, 0x1000, 0, b.memory.ramBase, true, true, false);
  b.makeQuick(0x1000);
  b.tlbs.revokeWrites(b.memory.ramBase);
  assert.deepEqual(b.quickTags.slice(0, 2), [0x1000, -1]);
});

test('an access that crosses a page is for the host', () => {
  const b = new Bench();
  assert.equal(b.access.load(b.state.base, 4093, 0, 4), ASKED_HOST);
});
