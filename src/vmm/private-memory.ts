/** A TD's private memory as the host manages it: Secure EPT pages and leaves, through SEAMCALLs only. */
import { Gpr, levelBytes, PageLevel, TdhLeaf } from '../abi/index.ts';
import { hex, invariant, type StateVisitor } from '../bits/index.ts';
import { type HostPages, PAGE_2M_BYTES, PAGE_4K_BYTES } from './host-pages.ts';
import type { Seamcalls } from './seamcalls.ts';

const PAGES_PER_2M = PAGE_2M_BYTES / PAGE_4K_BYTES;

/** 2 MiB of guest space: one large leaf, or the host pages of up to 512 small ones (0: none). */
type Region = { readonly largeHpa: number } | { readonly smallHpas: Float64Array };

export interface GpaRange {
  readonly startGpa: number;
  readonly lengthBytes: number;
}

export class PrivateMemory {
  readonly #seamcalls: Seamcalls;
  readonly #pages: HostPages;
  readonly #tdrHpa: number;
  /** levels of table pages below the root: 3 with a 4-level EPT */
  readonly #topTableLevel: PageLevel;
  /** merged, ascending: the guest addresses that are RAM */
  readonly #ram: readonly GpaRange[];
  /** by GPA / 2 MiB */
  readonly #regions = new Map<number, Region>();
  /** table pages added, one set of table numbers per level */
  readonly #tables: readonly Set<number>[];

  constructor(seamcalls: Seamcalls, pages: HostPages, tdrHpa: number, eptLevels: 4 | 5, ram: readonly GpaRange[]) {
    this.#seamcalls = seamcalls;
    this.#pages = pages;
    this.#tdrHpa = tdrHpa;
    this.#topTableLevel = eptLevels - 1;
    this.#tables = Array.from({ length: eptLevels }, () => new Set<number>());
    this.#ram = mergeRanges(ram);
  }

  /** The guest addresses that are RAM, ascending. */
  get ram(): readonly GpaRange[] {
    return this.#ram;
  }

  visitState(state: StateVisitor): void {
    const large: number[] = [];
    const smallKeys: number[] = [];
    const small: number[] = [];
    for (const [key, region] of this.#regions) {
      if ('largeHpa' in region) large.push(key, region.largeHpa);
      else {
        smallKeys.push(key);
        small.push(...region.smallHpas);
      }
    }
    const savedLarge = state.numbers('largeRegions', large);
    const savedKeys = state.numbers('smallRegions', smallKeys);
    const savedSmall = state.numbers('smallPages', small);
    this.#tables.forEach((tables, level) => {
      const saved = state.numbers(`tables${level}`, [...tables]);
      if (!state.restoring) return;
      tables.clear();
      for (const table of saved) tables.add(table);
    });
    if (!state.restoring) return;
    this.#regions.clear();
    for (let i = 0; i < savedLarge.length; i += 2) this.#regions.set(savedLarge[i]!, { largeHpa: savedLarge[i + 1]! });
    savedKeys.forEach((key, i) => {
      const smallHpas = Float64Array.from(savedSmall.slice(i * PAGES_PER_2M, (i + 1) * PAGES_PER_2M));
      this.#regions.set(key, { smallHpas });
    });
  }

  /** Is all of [gpa, gpa + lengthBytes) guest RAM? */
  isRam(gpa: number, lengthBytes: number): boolean {
    return this.#ram.some((range) => gpa >= range.startGpa && gpa + lengthBytes <= range.startGpa + range.lengthBytes);
  }

  /** Does [gpa, gpa + lengthBytes) touch guest RAM? */
  touchesRam(gpa: number, lengthBytes: number): boolean {
    return this.#ram.some((range) => gpa < range.startGpa + range.lengthBytes && range.startGpa < gpa + lengthBytes);
  }

  /** The parts of a range that are guest RAM, ascending. */
  ramWithin(startGpa: number, lengthBytes: number): GpaRange[] {
    const parts: GpaRange[] = [];
    for (const range of this.#ram) {
      const first = Math.max(startGpa, range.startGpa);
      const end = Math.min(startGpa + lengthBytes, range.startGpa + range.lengthBytes);
      if (first < end) parts.push({ startGpa: first, lengthBytes: end - first });
    }
    return parts;
  }

  /** Level of the leaf at `gpa`; undefined when nothing is mapped there. */
  levelAt(gpa: number): PageLevel | undefined {
    const region = this.#regions.get(Math.floor(gpa / PAGE_2M_BYTES));
    if (region === undefined) return undefined;
    if ('largeHpa' in region) return PageLevel.PAGE_2M;
    return region.smallHpas[smallIndex(gpa)] === 0 ? undefined : PageLevel.PAGE_4K;
  }

  /** TDH.MEM.PAGE.ADD: a 4 KiB page with the content of the host page at `sourceHpa`. Before TDH.MR.FINALIZE only. */
  add(gpa: number, sourceHpa: number): void {
    const smallHpas = this.#smallRegion(gpa);
    const hpa = this.#pages.take4K();
    const seamcalls = this.#seamcalls;
    seamcalls.registers.setNumber(Gpr.R8, hpa);
    seamcalls.registers.setNumber(Gpr.R9, sourceHpa);
    seamcalls.callWith(TdhLeaf.MEM_PAGE_ADD, gpa, this.#tdrHpa);
    smallHpas[smallIndex(gpa)] = hpa;
  }

  /**
   * TDH.MEM.PAGE.AUG: a page the guest has yet to accept, of 2 MiB if that is wanted and possible, else of 4 KiB.
   * Nothing happens if the guest has a page there already.
   */
  augment(gpa: number, wanted: PageLevel): void {
    const startGpa = gpa - (gpa % PAGE_2M_BYTES);
    if (wanted >= PageLevel.PAGE_2M && this.#regions.get(startGpa / PAGE_2M_BYTES) === undefined) {
      const hpa = this.isRam(startGpa, PAGE_2M_BYTES) ? this.#pages.tryTake2M() : undefined;
      if (hpa !== undefined) {
        this.#needTables(startGpa, PageLevel.PAGE_2M);
        this.#aug(startGpa, PageLevel.PAGE_2M, hpa);
        this.#regions.set(startGpa / PAGE_2M_BYTES, { largeHpa: hpa });
        return;
      }
    }
    if (this.levelAt(gpa) !== undefined) return;
    const pageGpa = gpa - (gpa % PAGE_4K_BYTES);
    const smallHpas = this.#smallRegion(pageGpa);
    const hpa = this.#pages.take4K();
    this.#aug(pageGpa, PageLevel.PAGE_4K, hpa);
    smallHpas[smallIndex(pageGpa)] = hpa;
  }

  /**
   * Takes the private pages of a range away: TDH.MEM.RANGE.BLOCK on each, one TDH.MEM.TRACK, TDH.MEM.PAGE.REMOVE on each.
   * A 2 MiB page that is only partly inside is demoted first. The caller has every vCPU of the TD outside the guest.
   */
  remove(startGpa: number, lengthBytes: number): void {
    const leaves = this.#leavesFor(startGpa, lengthBytes);
    if (leaves.length === 0) return;
    for (const { gpa, level } of leaves)
      this.#seamcalls.call(TdhLeaf.MEM_RANGE_BLOCK, { rcx: gpa + level, rdx: this.#tdrHpa });
    this.#track();
    for (const { gpa, level } of leaves) this.#removeLeaf(gpa, level);
  }

  /** The leaves inside a range, after splitting those that reach out of it. */
  #leavesFor(startGpa: number, lengthBytes: number): { gpa: number; level: PageLevel }[] {
    const endGpa = startGpa + lengthBytes;
    const leaves: { gpa: number; level: PageLevel }[] = [];
    let gpa = startGpa;
    while (gpa < endGpa) {
      const regionGpa = gpa - (gpa % PAGE_2M_BYTES);
      const regionEnd = regionGpa + PAGE_2M_BYTES;
      const region = this.#regions.get(regionGpa / PAGE_2M_BYTES);
      if (region !== undefined && 'largeHpa' in region && gpa === regionGpa && regionEnd <= endGpa) {
        leaves.push({ gpa, level: PageLevel.PAGE_2M });
      } else if (region !== undefined) {
        const smallHpas = 'largeHpa' in region ? this.#demote(regionGpa, region.largeHpa) : region.smallHpas;
        for (; gpa < Math.min(endGpa, regionEnd); gpa += PAGE_4K_BYTES)
          if (smallHpas[smallIndex(gpa)] !== 0) leaves.push({ gpa, level: PageLevel.PAGE_4K });
      }
      gpa = regionEnd;
    }
    return leaves;
  }

  /** TDH.MEM.PAGE.DEMOTE: one 2 MiB leaf becomes a table of 512 small ones on the same host memory. */
  #demote(regionGpa: number, largeHpa: number): Float64Array {
    this.#seamcalls.call(TdhLeaf.MEM_RANGE_BLOCK, { rcx: regionGpa + PageLevel.PAGE_2M, rdx: this.#tdrHpa });
    this.#track();
    const tableHpa = this.#pages.take4K();
    this.#seamcalls.call(TdhLeaf.MEM_PAGE_DEMOTE, {
      rcx: regionGpa + PageLevel.PAGE_2M,
      rdx: this.#tdrHpa,
      r8: tableHpa,
    });
    this.#tables[PageLevel.PAGE_2M]!.add(regionGpa / PAGE_2M_BYTES);
    const smallHpas = Float64Array.from({ length: PAGES_PER_2M }, (_, i) => largeHpa + i * PAGE_4K_BYTES);
    this.#regions.set(regionGpa / PAGE_2M_BYTES, { smallHpas });
    return smallHpas;
  }

  #removeLeaf(gpa: number, level: PageLevel): void {
    const region = this.#regions.get(Math.floor(gpa / PAGE_2M_BYTES));
    invariant(region !== undefined, `a leaf to remove at ${hex(gpa)}`);
    this.#seamcalls.call(TdhLeaf.MEM_PAGE_REMOVE, { rcx: gpa + level, rdx: this.#tdrHpa });
    if ('largeHpa' in region) {
      this.#regions.delete(gpa / PAGE_2M_BYTES);
      this.#pages.give2M(region.largeHpa);
    } else {
      this.#pages.give4K(region.smallHpas[smallIndex(gpa)]!);
      region.smallHpas[smallIndex(gpa)] = 0;
    }
  }

  #track(): void {
    this.#seamcalls.call(TdhLeaf.MEM_TRACK, { rcx: this.#tdrHpa });
  }

  #aug(gpa: number, level: PageLevel, hpa: number): void {
    this.#seamcalls.call(TdhLeaf.MEM_PAGE_AUG, { rcx: gpa + level, rdx: this.#tdrHpa, r8: hpa });
  }

  /** TDH.MEM.SEPT.ADD for every table that a leaf of `leafLevel` at `gpa` needs and that is not there yet. */
  #needTables(gpa: number, leafLevel: PageLevel): void {
    for (let level = this.#topTableLevel; level > leafLevel; level--) {
      const span = levelBytes(level);
      const number = Math.floor(gpa / span);
      const tables = this.#tables[level]!;
      if (tables.has(number)) continue;
      const tableHpa = this.#pages.take4K();
      this.#seamcalls.call(TdhLeaf.MEM_SEPT_ADD, { rcx: number * span + level, rdx: this.#tdrHpa, r8: tableHpa });
      tables.add(number);
    }
  }

  /** Host pages of the 2 MiB around `gpa`, whose table is there then. */
  #smallRegion(gpa: number): Float64Array {
    const key = Math.floor(gpa / PAGE_2M_BYTES);
    let region = this.#regions.get(key);
    if (region === undefined) {
      this.#needTables(gpa, PageLevel.PAGE_4K);
      region = { smallHpas: new Float64Array(PAGES_PER_2M) };
      this.#regions.set(key, region);
    }
    if (!('smallHpas' in region)) throw new Error(`broken invariant: small pages at ${hex(gpa)}`);
    return region.smallHpas;
  }
}

function smallIndex(gpa: number): number {
  return Math.floor(gpa / PAGE_4K_BYTES) % PAGES_PER_2M;
}

function mergeRanges(ranges: readonly GpaRange[]): GpaRange[] {
  const merged: { startGpa: number; lengthBytes: number }[] = [];
  for (const { startGpa, lengthBytes } of [...ranges].sort((a, b) => a.startGpa - b.startGpa)) {
    const last = merged.at(-1);
    if (last !== undefined && last.startGpa + last.lengthBytes === startGpa) last.lengthBytes += lengthBytes;
    else merged.push({ startGpa, lengthBytes });
  }
  return merged;
}
