import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostMemory } from '../../memory/index.ts';
import { Cr0, Cr4, Efer } from '../architecture.ts';
import { Controls } from '../controls.ts';
import { ExitReason, ExitRecord } from '../exit.ts';
import type { Processor } from '../processor.ts';
import { Access, SecondLevel } from '../second-level.ts';
import { CpuState, S, STATE_BYTES } from '../state.ts';
import { SecondLevelCache } from './second-level-cache.ts';
import { PageWalker } from './walk.ts';

const { Read, Write, Execute } = Access;
const P = 1;
const W = 2;
const U = 4;
const LARGE = 0x80;
const GLOBAL = 0x100;
const NX = 1n << 63n;
const LINEAR = 0x7f12_3456_7000;

/** What the walker needs of a processor; guest RAM is the host's, one level of tables at fixed places. */
class Bench {
  readonly memory = new HostMemory(4 << 20);
  readonly state = new CpuState(this.memory.wasm, this.memory.reserveProcessorArea(STATE_BYTES));
  readonly controls = new Controls();
  readonly exit = new ExitRecord();
  secondLevel: SecondLevel | null = null;
  readonly seen = new SecondLevelCache(this.memory);
  readonly walker = new PageWalker(this as unknown as Processor, this.seen);
  readonly ram = this.memory.ramBase;
  readonly tables = [this.ram, this.ram + 0x1000, this.ram + 0x2000, this.ram + 0x3000, this.ram + 0x4000];
  readonly frame = this.ram + 0x10_0000;

  constructor() {
    this.controls.guestPhysicalAddressBits = 48;
    this.mode(Cr0.PE | Cr0.PG | Cr0.WP, Cr4.PAE | Cr4.PGE, Efer.LME | Efer.LMA | Efer.NXE);
    this.state.set(S.cr3, this.ram, 0);
  }

  mode(cr0: number, cr4: number, efer: number): void {
    this.state.set(S.cr0, cr0, 0);
    this.state.set(S.cr4, cr4, 0);
    this.state.set(S.efer, efer, 0);
  }

  entryAddress(level: number, linear = LINEAR): number {
    return this.tables[4 - level]! + (Math.floor(linear / 2 ** (12 + 9 * (level - 1))) % 512) * 8;
  }

  entry(level: number, linear = LINEAR): bigint {
    return this.memory.view.getBigUint64(this.entryAddress(level, linear), true);
  }

  setEntry(level: number, value: bigint | number, linear = LINEAR): void {
    this.memory.view.setBigUint64(this.entryAddress(level, linear), BigInt(value), true);
  }

  /** Maps LINEAR to `frame` with the same rights at each level. */
  map(rights: bigint | number, leafLevel = 1, linear = LINEAR): void {
    for (let level = 4; level > leafLevel; level--) this.setEntry(level, this.tables[5 - level]! + (P | W | U), linear);
    const frame = leafLevel > 1 ? (this.frame & ~0x1f_ffff) | LARGE : this.frame;
    this.setEntry(leafLevel, BigInt(frame) | BigInt(rights), linear);
  }

  walk(access: number, user: boolean, ac = false, linear = LINEAR): boolean {
    return this.walker.walk(linear | 0, Math.floor(linear / 2 ** 32) | 0, access, user, ac);
  }

  /** Error code of the page fault that the walk must meet. */
  fault(access: number, user: boolean, ac = false): number {
    assert.equal(this.walk(access, user, ac), false);
    assert.equal(this.walker.faultKind, 'page');
    return this.walker.errorCode;
  }
}

/** Bits 62:59 of a leaf entry. */
const withKey = (key: number) => BigInt(key) << 59n;

test('protection keys: data of user pages, by user and supervisor, never code, never supervisor pages', () => {
  const b = new Bench();
  const P_WRITE_USER = 1 | 2 | 4;
  const P_USER = 1 | 4;
  const KEY = 32;
  const pke = (cr0 = Cr0.PE | Cr0.PG | Cr0.WP) =>
    b.mode(cr0, Cr4.PAE | Cr4.PGE | Cr4.PKE, Efer.LME | Efer.LMA | Efer.NXE);
  for (const key of [0, 1, 15])
    for (const disabled of [0, 1, 2, 3]) {
      b.map(BigInt(P | W | U) | withKey(key));
      // all other keys forbid everything
      b.state.setLow(S.pkru, ~(3 << (2 * key)) | (disabled << (2 * key)) | 0);
      b.mode(Cr0.PE | Cr0.PG | Cr0.WP, Cr4.PAE | Cr4.PGE, Efer.LME | Efer.LMA | Efer.NXE);
      assert.ok(b.walk(Write, true), 'without PKE the bits are ignored');
      pke();
      const what = `key ${key}, ${disabled}`;
      const [mayRead, mayWrite] = [(disabled & 1) === 0, disabled === 0];
      assert.ok(b.walk(Execute, true), what);
      assert.equal(b.walker.readable, mayRead, what);
      assert.equal(b.walker.writable, mayWrite, what);
      for (const user of [true, false]) {
        const error = (bits: number) => bits | KEY | (user ? 4 : 0);
        if (mayRead) assert.ok(b.walk(Read, user), what);
        else assert.equal(b.fault(Read, user), error(1), what);
        if (mayWrite) assert.ok(b.walk(Write, user), what);
        else assert.equal(b.fault(Write, user), error(3), what);
      }
      pke(Cr0.PE | Cr0.PG);
      assert.equal(b.walk(Write, false), mayRead, `${what}: without WP a supervisor may write where it may read`);
      b.map(BigInt(P | W) | withKey(key));
      pke();
      assert.ok(b.walk(Write, false), 'a supervisor page has no key');
    }
  b.state.setLow(S.pkru, -1);
  b.map(BigInt(P | U) | withKey(3));
  assert.equal(b.fault(Write, true), P_WRITE_USER | KEY, 'both the page and its key forbid it');
  b.state.setLow(S.pkru, 0);
  assert.equal(b.fault(Write, true), P_WRITE_USER, 'the page alone');
  b.state.setLow(S.pkru, -1);
  b.setEntry(1, 0);
  assert.equal(b.fault(Read, true), P_USER & ~1, 'a missing page has no key');
  b.map(BigInt(P | W | U | GLOBAL) | withKey(0));
  b.state.setLow(S.pkru, 0);
  assert.ok(b.walk(Read, true));
  assert.equal(b.walker.global, false, 'a change of PKRU reaches it');
});

test('protection keys of supervisor pages: data accesses of supervisors, by PKRS', () => {
  const b = new Bench();
  b.map(BigInt(P | W | GLOBAL) | withKey(2));
  const mode = (cr4: number, cr0 = Cr0.PE | Cr0.PG | Cr0.WP) =>
    b.mode(cr0, Cr4.PAE | Cr4.PGE | cr4, Efer.LME | Efer.LMA | Efer.NXE);
  b.state.setLow(S.pkru, -1);
  b.state.setLow(S.pkrs, 1 << 4);
  mode(Cr4.PKE);
  assert.ok(b.walk(Write, false), 'PKRU is for user pages');
  mode(Cr4.PKS);
  assert.equal(b.fault(Read, false), 0x21);
  assert.equal(b.fault(Write, false), 0x23);
  assert.ok(b.walk(Execute, false));
  assert.ok(b.walker.global, 'a change of PKRS forgets everything');
  assert.equal(b.fault(Read, true), 5, 'user mode has no rights that a key could take');
  b.state.setLow(S.pkrs, 2 << 4);
  assert.ok(b.walk(Read, false));
  assert.equal(b.walker.writable, false);
  assert.equal(b.fault(Write, false), 0x23);
  mode(Cr4.PKS, Cr0.PE | Cr0.PG);
  assert.ok(b.walk(Write, false), 'without WP');
  b.state.setLow(S.pkrs, ~(3 << 4));
  mode(Cr4.PKS);
  assert.ok(b.walk(Write, false), 'the keys of others');
  b.map(BigInt(P | W | U) | withKey(1));
  assert.ok(b.walk(Write, false), 'PKRS is for supervisor pages');
});

test('rights of user and supervisor, against every combination of page bits', () => {
  const b = new Bench();
  for (const writable of [0, W])
    for (const userPage of [0, U])
      for (const noExecute of [0n, NX])
        for (const wp of [0, Cr0.WP])
          for (const smep of [0, Cr4.SMEP])
            for (const smap of [0, Cr4.SMAP])
              for (const user of [false, true])
                for (const ac of [false, true])
                  for (const access of [Read, Write, Execute]) {
                    b.mode(Cr0.PE | Cr0.PG | wp, Cr4.PAE | smep | smap, Efer.LME | Efer.LMA | Efer.NXE);
                    b.map(BigInt(P | writable | userPage) | noExecute);
                    let allowed: boolean;
                    if (user) allowed = userPage !== 0;
                    else if (userPage === 0) allowed = true;
                    else allowed = access === Execute ? smep === 0 : smap === 0 || ac;
                    if (access === Write && writable === 0 && (user || wp !== 0)) allowed = false;
                    if (access === Execute && noExecute !== 0n) allowed = false;
                    assert.equal(
                      b.walk(access, user, ac),
                      allowed,
                      `${writable} ${userPage} ${noExecute} ${wp} ${smep} ${smap} ${user} ${ac} ${access}`,
                    );
                    if (!allowed)
                      assert.equal(
                        b.walker.errorCode,
                        P | (access === Write ? 2 : 0) | (user ? 4 : 0) | (access === Execute ? 16 : 0),
                      );
                  }
});

test('rights are those of all levels together', () => {
  const b = new Bench();
  b.map(P | W | U);
  b.setEntry(3, BigInt(b.tables[2]! + (P | U)));
  assert.equal(b.fault(Write, true), 7);
  b.setEntry(3, BigInt(b.tables[2]! + (P | W)));
  assert.equal(b.fault(Read, true), 5);
  b.setEntry(3, BigInt(b.tables[2]! + (P | W | U)) | NX);
  assert.equal(b.fault(Execute, true), 0x15);
});

test('not present at any level; an instruction fetch is named only with NX or SMEP', () => {
  const b = new Bench();
  for (const level of [1, 2, 3, 4]) {
    b.map(P | W | U);
    b.setEntry(level, 0);
    assert.equal(b.fault(Write, true), 6);
  }
  assert.equal(b.fault(Execute, false), 0x10);
  b.mode(Cr0.PE | Cr0.PG, Cr4.PAE, Efer.LME | Efer.LMA);
  assert.equal(b.fault(Execute, false), 0);
});

test('reserved bits', () => {
  const b = new Bench();
  for (const bits of [1n << 48n, 1n << 51n]) {
    b.map(BigInt(P | W | U) | bits);
    assert.equal(b.fault(Read, false), 9);
  }
  b.map(BigInt(P | W | U) | (1n << 47n));
  b.walk(Read, false);
  assert.equal(b.walker.guestPhysicalPage, b.frame + 2 ** 47);
  b.map(P | W | U);
  b.setEntry(4, BigInt(b.tables[1]! + (P | W | U | LARGE)));
  assert.equal(b.fault(Read, true), 0xd);
  b.map(P | W | U | 0x2000, 2);
  assert.equal(b.fault(Read, true), 0xd);
  b.mode(Cr0.PE | Cr0.PG, Cr4.PAE, Efer.LME | Efer.LMA);
  b.map(BigInt(P | W) | NX);
  assert.equal(b.fault(Read, false), 9);
});

test('accessed and dirty bits: the first write walks again', () => {
  const b = new Bench();
  b.map(P | W | U | GLOBAL);
  assert.ok(b.walk(Read, true));
  assert.equal(b.walker.writable, false);
  assert.equal(b.walker.global, true);
  assert.deepEqual(
    [4, 3, 2, 1].map((level) => Number(b.entry(level) & 0x60n)),
    [0x20, 0x20, 0x20, 0x20],
  );
  assert.ok(b.walk(Write, true));
  assert.equal(b.walker.writable, true);
  assert.equal(b.entry(1) & 0x60n, 0x60n);
  assert.ok(b.walk(Read, true));
  assert.equal(b.walker.writable, true);
});

test('large pages translate to the 4 KiB page within', () => {
  const b = new Bench();
  b.map(P | W, 2);
  assert.ok(b.walk(Write, false));
  assert.equal(b.walker.hostPage, (b.frame & ~0x1f_ffff) + (LINEAR % 0x20_0000));
  const gigabyte = new Bench();
  gigabyte.setEntry(4, gigabyte.tables[1]! + (P | W));
  gigabyte.setEntry(3, P | W | LARGE);
  assert.ok(gigabyte.walk(Read, false));
  assert.equal(gigabyte.walker.guestPhysicalPage, LINEAR % 0x4000_0000);
});

test('canonical addresses end at bit 47, or 56 with five levels', () => {
  const b = new Bench();
  assert.equal(b.walker.walk(0, 0x8000, Read, false, false), false);
  assert.equal(b.walker.faultKind, 'canonical');
  assert.equal(b.walker.walk(0, 0xffff_7fff | 0, Read, false, false), false);
  assert.equal(b.walker.faultKind, 'canonical');
  b.walker.walk(0, 0xffff_8000 | 0, Read, false, false);
  assert.equal(b.walker.faultKind, 'page');
  b.mode(Cr0.PE | Cr0.PG, Cr4.PAE | Cr4.LA57, Efer.LME | Efer.LMA | Efer.NXE);
  const top = b.tables[4]!;
  b.state.set(S.cr3, top, 0);
  b.map(P | W | U);
  b.memory.view.setBigUint64(top, BigInt(b.tables[0]! + (P | W | U)), true);
  assert.ok(b.walk(Read, true));
  assert.equal(b.walker.hostPage, b.frame);
});

test('PAE and two-level paging outside long mode', () => {
  const b = new Bench();
  b.mode(Cr0.PE | Cr0.PG | Cr0.WP, Cr4.PAE, Efer.NXE);
  const linear = 0xc012_3000;
  const put = (at: number, value: number): void => b.memory.view.setBigUint64(at, BigInt(value), true);
  b.state.set(S.cr3, b.ram + 0x20, 0);
  put(b.ram + 0x20 + 3 * 8, b.tables[1]! + P);
  put(b.tables[1]!, b.tables[2]! + (P | W));
  put(b.tables[2]! + 0x123 * 8, b.frame + (P | W));
  assert.ok(b.walk(Write, false, false, linear));
  assert.equal(b.walker.hostPage, b.frame);
  b.mode(Cr0.PE | Cr0.PG | Cr0.WP, Cr4.PSE, 0);
  b.state.set(S.cr3, b.ram + 0x5000, 0);
  b.memory.view.setUint32(b.ram + 0x5000 + (linear >>> 22) * 4, b.ram + 0x6000 + (P | W), true);
  b.memory.view.setUint32(b.ram + 0x6000 + 0x123 * 4, b.frame + P, true);
  assert.ok(b.walk(Read, false, false, linear));
  assert.equal(b.walker.hostPage, b.frame);
  assert.equal(b.walk(Write, false, false, linear), false);
  assert.equal(b.walker.errorCode, 3);
  b.memory.view.setUint32(b.ram + 0x5000 + (linear >>> 22) * 4, (b.ram & 0xffc0_0000) | P | W | LARGE, true);
  assert.ok(b.walk(Write, false, false, linear));
  assert.equal(b.walker.guestPhysicalPage, ((b.ram & 0xffc0_0000) >>> 0) + (linear % 0x40_0000));
});

/** Guest physical 0.. is the host's RAM. */
function behindSecondLevel(): Bench {
  const b = new Bench();
  b.secondLevel = new SecondLevel();
  for (let page = 0; page < 16; page++) b.secondLevel.set(page * 4096, SecondLevel.entry(b.ram + page * 4096, 7));
  b.state.set(S.cr3, 0, 0);
  for (const level of [4, 3, 2]) b.setEntry(level, (5 - level) * 0x1000 + (P | W | U));
  b.setEntry(1, 0x8000 + (P | W | U));
  return b;
}

test('second level: translation, rights, violations of the page and of the tables', () => {
  const b = behindSecondLevel();
  assert.ok(b.walk(Write, true));
  assert.equal(b.walker.hostPage, b.ram + 0x8000);
  assert.equal(b.walker.guestPhysicalPage, 0x8000);
  b.secondLevel!.set(0x8000, SecondLevel.entry(b.ram + 0x8000, Read));
  b.seen.forget();
  assert.ok(b.walk(Read, true));
  assert.deepEqual([b.walker.readable, b.walker.writable, b.walker.executable], [true, false, false]);
  assert.equal(b.walk(Write, true, false, LINEAR + 0x123), false);
  assert.equal(b.walker.faultKind, 'second-level');
  assert.equal(b.exit.reason, ExitReason.EptViolation);
  assert.equal(b.exit.qualificationLow, 2 | (1 << 3) | 0x180);
  assert.equal(b.exit.guestPhysical, 0x8123);
  assert.equal(b.exit.guestLinearLow, (LINEAR + 0x123) | 0);
  assert.equal(b.exit.guestLinearHigh, 0x7f12);
  b.secondLevel!.set(0x8000, 0);
  b.seen.forget();
  assert.equal(b.walk(Execute, true), false);
  assert.equal(b.exit.qualificationLow, 4 | 0x180);
  b.secondLevel!.set(0x8000, SecondLevel.Convertible);
  assert.equal(b.walk(Read, true), false);
  assert.equal(b.walker.faultKind, 'convertible');
  b.secondLevel!.set(0x2000, 0);
  b.seen.forget();
  assert.equal(b.walk(Write, true), false);
  assert.equal(b.exit.qualificationLow, 1 | 0x80, 'a read, of a table');
  assert.equal(b.exit.guestPhysical, b.entryAddress(2) - b.ram);
});

test('second level: a table that cannot be written takes no accessed bit', () => {
  const b = behindSecondLevel();
  b.secondLevel!.set(0x3000, SecondLevel.entry(b.ram + 0x3000, Read));
  assert.equal(b.walk(Read, true), false);
  assert.equal(b.exit.qualificationLow, 3 | (1 << 3) | 0x80);
  assert.equal(b.entry(1) & 0x20n, 0n);
  b.setEntry(1, b.entry(1) | 0x60n);
  assert.ok(b.walk(Read, true));
});

test('an absent second-level page is looked up again at each walk', () => {
  const b = behindSecondLevel();
  b.setEntry(1, 0x20_0000 + (P | W | U));
  assert.equal(b.walk(Read, true), false);
  b.secondLevel!.set(0x20_0000, SecondLevel.entry(b.ram + 0x9000, 7));
  assert.ok(b.walk(Read, true));
});

test('no paging: linear is guest physical', () => {
  const b = new Bench();
  b.mode(Cr0.PE, 0, 0);
  assert.ok(b.walk(Write, false, false, b.frame + 0x123));
  assert.equal(b.walker.hostPage, b.frame);
  assert.ok(b.walk(Read, false, false, 0xfee0_0000));
  assert.equal(b.walker.isRam, false);
});
