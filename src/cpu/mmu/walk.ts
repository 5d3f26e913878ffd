/** The page walk: guest linear page to host page, through the guest's tables and the second level (SDM vol. 3, chapter "Paging"). */
import { ExitReason } from '../exit.ts';
import type { Processor } from '../processor.ts';
import { Access, SecondLevel } from '../second-level.ts';
import { S } from '../state.ts';
import type { SecondLevelCache } from './second-level-cache.ts';

const CR0_WP = 1 << 16;
const CR0_PG = 1 << 31;
const CR4_PSE = 1 << 4;
const CR4_PAE = 1 << 5;
const CR4_PGE = 1 << 7;
const CR4_LA57 = 1 << 12;
const CR4_SMEP = 1 << 20;
const CR4_SMAP = 1 << 21;
const CR4_PKE = 1 << 22;
const CR4_PKS = 1 << 24;
const EFER_LMA = 1 << 10;
const EFER_NXE = 1 << 11;

const PRESENT = 1;
const WRITABLE = 2;
const USER = 4;
const ACCESSED = 0x20;
const DIRTY = 0x40;
/** PS in an upper table: the entry maps a large page */
const LARGE = 0x80;
const GLOBAL = 0x100;
/** in the high half of an 8-byte entry */
const NO_EXECUTE_HIGH = 1 << 31;
const FRAME_HIGH = 0x000f_ffff;
/** where the high half of a leaf entry has twice its protection key: bits 62:59 */
const KEY_SHIFT_HIGH = 26;
const TWICE_KEY = 0x1e;
const ACCESS_DISABLE = 1;
const WRITE_DISABLE = 2;

const ERROR_PRESENT = 1;
const ERROR_WRITE = 2;
const ERROR_USER = 4;
const ERROR_RESERVED = 8;
const ERROR_FETCH = 16;
const ERROR_PROTECTION_KEY = 32;

const QUALIFICATION_LINEAR_VALID = 0x80;
const QUALIFICATION_TRANSLATION = 0x100;

const TWO_32 = 0x1_0000_0000;
const EVERYTHING = Access.Read | Access.Write | Access.Execute;

/**
 * Why a walk failed.
 * page: #PF with `errorCode` (the caller sets CR2). canonical: #GP(0) or #SS(0). second-level: an EPT violation, `cpu.exit` is filled in.
 * convertible: the same, but the processor may deliver #VE itself.
 */
export type WalkFault = 'page' | 'canonical' | 'second-level' | 'convertible';

/** Translates one linear page at a time; the results stay in the fields until the next walk. */
export class PageWalker {
  /** byte offset in linear memory of the 4 KiB page; meaningless if not `isRam` */
  hostPage = 0;
  /** guest physical address of the 4 KiB page */
  guestPhysicalPage = 0;
  /** what this privilege may do without another walk: `writable` needs the dirty bit set already */
  readable = false;
  writable = false;
  executable = false;
  userPage = false;
  global = false;
  /** false: nothing behind the address (bare machine only) */
  isRam = false;
  faultKind: WalkFault = 'page';
  errorCode = 0;

  readonly #cpu: Processor;
  readonly #i32: Int32Array;
  readonly #ramBase: number;
  readonly #ramEnd: number;
  readonly #seen: SecondLevelCache;
  /** entries whose accessed bit this walk has to set: where, and under which guest physical address */
  readonly #unusedHost = new Float64Array(5);
  readonly #unusedPhysical = new Float64Array(5);
  #linearLow = 0;
  #linearHigh = 0;

  /** @param seen second-level entries that this processor remembers */
  constructor(cpu: Processor, seen: SecondLevelCache) {
    this.#cpu = cpu;
    this.#seen = seen;
    this.#i32 = cpu.memory.i32;
    this.#ramBase = cpu.memory.ramBase;
    this.#ramEnd = cpu.memory.ramBase + cpu.memory.ramBytes;
  }

  /**
   * Translates for `access` (Access bits) by CPL 3 (`user`) or supervisor code; `explicitAc`: an explicit supervisor access with RFLAGS.AC set.
   * Sets accessed and dirty bits. Returns false with `faultKind` when the access is not allowed.
   */
  walk(linearLow: number, linearHigh: number, access: number, user: boolean, explicitAc: boolean): boolean {
    const state = this.#cpu.state;
    this.#linearLow = linearLow;
    this.#linearHigh = linearHigh;
    const cr0 = state.low(S.cr0);
    if ((cr0 & CR0_PG) === 0) {
      this.readable = this.writable = this.executable = this.userPage = true;
      this.global = false;
      return this.#translate((linearLow & ~0xfff) >>> 0, access);
    }
    const cr4 = state.low(S.cr4);
    const efer = state.low(S.efer);
    const long = (efer & EFER_LMA) !== 0;
    const noExecute = (efer & EFER_NXE) !== 0;
    const error =
      ((access & Access.Write) !== 0 ? ERROR_WRITE : 0) |
      (user ? ERROR_USER : 0) |
      ((access & Access.Execute) !== 0 && ((noExecute && (long || (cr4 & CR4_PAE) !== 0)) || (cr4 & CR4_SMEP) !== 0)
        ? ERROR_FETCH
        : 0);
    if (!long && (cr4 & CR4_PAE) === 0) return this.#walkTwoLevels(access, user, explicitAc, error, cr0, cr4);

    const cr3Low = state.low(S.cr3);
    let level = 3;
    let tableLow = cr3Low & ~0x1f;
    let table = tableLow >>> 0;
    if (long) {
      level = (cr4 & CR4_LA57) !== 0 ? 5 : 4;
      const sign = level === 5 ? linearHigh >> 24 : linearHigh >> 15;
      if (sign !== 0 && sign !== -1) {
        this.faultKind = 'canonical';
        return false;
      }
      tableLow = cr3Low & ~0xfff;
      table = (state.high(S.cr3) & FRAME_HIGH) * TWO_32 + (tableLow >>> 0);
    }
    const reserved = reservedHigh(this.#cpu.controls.guestPhysicalAddressBits, long, noExecute);
    let rights = WRITABLE | USER;
    let mayExecute = true;
    let unused = 0;
    let low: number;
    let high: number;
    let entryHost: number;
    let entryPhysical: number;
    for (;;) {
      const index =
        level === 1
          ? (linearLow >>> 12) & 511
          : level === 2
            ? (linearLow >>> 21) & 511
            : level === 3
              ? ((linearLow >>> 30) | (linearHigh << 2)) & (long ? 511 : 3)
              : level === 4
                ? (linearHigh >>> 7) & 511
                : (linearHigh >>> 16) & 511;
      entryPhysical = table + index * 8;
      const host = this.#tableHost(table - (tableLow & 0xfff), tableLow, entryPhysical, Access.Read);
      if (host < 0) return false;
      entryHost = host + (tableLow & 0xfff) + index * 8;
      if (host === 0) {
        low = high = -1;
      } else {
        low = this.#i32[entryHost >>> 2]!;
        high = this.#i32[(entryHost >>> 2) + 1]!;
      }
      if ((low & PRESENT) === 0) return this.#pageFault(error);
      if ((high & reserved) !== 0) return this.#pageFault(error | ERROR_PRESENT | ERROR_RESERVED);
      // A page-directory-pointer entry of 32-bit PAE has no rights and no accessed bit.
      const hasRights = long || level !== 3;
      const large = level > 1 && (low & LARGE) !== 0;
      if (large && (level > 3 || !hasRights || (low & (level === 2 ? 0x001f_e000 : 0x3fff_e000)) !== 0))
        return this.#pageFault(error | ERROR_PRESENT | ERROR_RESERVED);
      if (hasRights) {
        rights &= low;
        if (high < 0) mayExecute = false;
        if (level === 1 || large) break;
        if ((low & ACCESSED) === 0) {
          this.#unusedHost[unused] = entryHost;
          this.#unusedPhysical[unused++] = entryPhysical;
        }
      }
      tableLow = low & ~0xfff;
      table = (high & FRAME_HIGH) * TWO_32 + (tableLow >>> 0);
      level--;
    }
    const allowed = this.#allow(access, rights, mayExecute, user, explicitAc, cr0, cr4);
    const keyed = long && (cr4 & (this.userPage ? CR4_PKE : CR4_PKS)) !== 0 && (this.userPage || !user);
    const keyAllows = !keyed || this.#keyAllows(access, high, user, cr0);
    if (!allowed || !keyAllows) return this.#pageFault(error | ERROR_PRESENT | (keyAllows ? 0 : ERROR_PROTECTION_KEY));
    // what a change of PKRU can take away goes with the entries that are not global
    this.global = (cr4 & CR4_PGE) !== 0 && (low & GLOBAL) !== 0 && !(keyed && this.userPage);
    if (unused !== 0 && !this.#setAccessed(unused)) return false;
    if (!this.#setLeafBits(low, entryHost, entryPhysical, access)) return false;
    const offsetMask = level === 1 ? 0 : level === 2 ? 0x001f_f000 : 0x3fff_f000;
    const frameLow = (low & ~0xfff & ~offsetMask) | (linearLow & offsetMask);
    return this.#translate((high & FRAME_HIGH) * TWO_32 + (frameLow >>> 0), access);
  }

  /** 32-bit paging without PAE: 4-byte entries, 4 KiB and 4 MiB pages. */
  #walkTwoLevels(access: number, user: boolean, explicitAc: boolean, error: number, cr0: number, cr4: number): boolean {
    const linear = this.#linearLow;
    const directory = this.#cpu.state.low(S.cr3) & ~0xfff;
    let physical = (directory >>> 0) + (linear >>> 22) * 4;
    let host = this.#tableHost(directory >>> 0, directory, physical, Access.Read);
    if (host < 0) return false;
    let entry = -1;
    if (host !== 0) {
      host += (linear >>> 22) * 4;
      entry = this.#i32[host >>> 2]!;
    }
    if ((entry & PRESENT) === 0) return this.#pageFault(error);
    let rights = entry & (WRITABLE | USER);
    let frameHigh = 0;
    let unused = 0;
    let offsetMask = 0;
    if ((entry & LARGE) !== 0 && (cr4 & CR4_PSE) !== 0) {
      if ((entry & (1 << 21)) !== 0) return this.#pageFault(error | ERROR_PRESENT | ERROR_RESERVED);
      frameHigh = (entry >>> 13) & 0xff;
      offsetMask = 0x003f_f000;
    } else {
      if ((entry & ACCESSED) === 0) {
        this.#unusedHost[0] = host;
        this.#unusedPhysical[0] = physical;
        unused = 1;
      }
      const index = (linear >>> 12) & 1023;
      const table = entry & ~0xfff;
      physical = (table >>> 0) + index * 4;
      host = this.#tableHost(table >>> 0, table, physical, Access.Read);
      if (host < 0) return false;
      entry = -1;
      if (host !== 0) {
        host += index * 4;
        entry = this.#i32[host >>> 2]!;
      }
      if ((entry & PRESENT) === 0) return this.#pageFault(error);
      rights &= entry;
    }
    if (!this.#allow(access, rights, true, user, explicitAc, cr0, cr4)) return this.#pageFault(error | ERROR_PRESENT);
    this.global = (cr4 & CR4_PGE) !== 0 && (entry & GLOBAL) !== 0;
    if (unused !== 0 && !this.#setAccessed(unused)) return false;
    if (!this.#setLeafBits(entry, host, physical, access)) return false;
    const frame = offsetMask === 0 ? entry & ~0xfff : (entry & 0xffc0_0000) | (linear & offsetMask);
    return this.#translate(frameHigh * TWO_32 + (frame >>> 0), access);
  }

  /** Sets the rights fields for this privilege; false if `access` is not among them. */
  #allow(
    access: number,
    rights: number,
    mayExecute: boolean,
    user: boolean,
    explicitAc: boolean,
    cr0: number,
    cr4: number,
  ): boolean {
    const userPage = (rights & USER) !== 0;
    this.userPage = userPage;
    if (user) {
      this.readable = userPage;
      this.writable = userPage && (rights & WRITABLE) !== 0;
      this.executable = userPage && mayExecute;
    } else {
      this.readable = !userPage || (cr4 & CR4_SMAP) === 0 || explicitAc;
      this.writable = this.readable && ((rights & WRITABLE) !== 0 || (cr0 & CR0_WP) === 0);
      this.executable = mayExecute && (!userPage || (cr4 & CR4_SMEP) === 0);
    }
    return (
      ((access & Access.Read) === 0 || this.readable) &&
      ((access & Access.Write) === 0 || this.writable) &&
      ((access & Access.Execute) === 0 || this.executable)
    );
  }

  /** Takes away the data accesses that PKRU or PKRS forbids for the key of this entry; false if `access` is among them (SDM vol. 3, "Protection Keys"). */
  #keyAllows(access: number, high: number, user: boolean, cr0: number): boolean {
    const key = this.#cpu.state.low(this.userPage ? S.pkru : S.pkrs) >>> ((high >>> KEY_SHIFT_HIGH) & TWICE_KEY);
    const reads = (key & ACCESS_DISABLE) === 0;
    const writes = reads && ((key & WRITE_DISABLE) === 0 || (!user && (cr0 & CR0_WP) === 0));
    if (!reads) this.readable = false;
    if (!writes) this.writable = false;
    return (reads || (access & (Access.Read | Access.Write)) === 0) && (writes || (access & Access.Write) === 0);
  }

  #pageFault(errorCode: number): boolean {
    this.faultKind = 'page';
    this.errorCode = errorCode;
    return false;
  }

  #setAccessed(count: number): boolean {
    for (let i = 0; i < count; i++) {
      const physical = this.#unusedPhysical[i]!;
      if (!this.#setEntryBits(this.#unusedHost[i]!, physical, ACCESSED)) return false;
    }
    return true;
  }

  /** Accessed always, dirty for a write; without the dirty bit the page is not writable yet. */
  #setLeafBits(low: number, host: number, physical: number, access: number): boolean {
    const wanted = (access & Access.Write) !== 0 ? ACCESSED | DIRTY : ACCESSED;
    if ((low & wanted) !== wanted && !this.#setEntryBits(host, physical, wanted)) return false;
    if (((low | wanted) & DIRTY) === 0) this.writable = false;
    return true;
  }

  /** The processor's own write to a guest table: it needs the second level's write right. */
  #setEntryBits(host: number, physical: number, bits: number): boolean {
    const page = physical - (physical % 4096);
    if (this.#cpu.secondLevel !== null && this.#tableHost(page, page | 0, physical, Access.Read | Access.Write) < 0)
      return false;
    this.#i32[host >>> 2] = this.#i32[host >>> 2]! | bits;
    return true;
  }

  /** Host page of a guest table page: negative if the second level refuses (the exit is filled in), 0 if there is no RAM, which reads as all ones. */
  #tableHost(page: number, pageLow: number, entryPhysical: number, access: number): number {
    let host = page;
    if (this.#cpu.secondLevel !== null) {
      const entry = this.#seen.lookup(this.#cpu.secondLevel, page, pageLow);
      if ((entry & access) !== access) return this.#violation(entry, entryPhysical, access, 0);
      host = (entry >>> 4) * 4096;
    }
    return host >= this.#ramBase && host < this.#ramEnd ? host : 0;
  }

  /** The last step: guest physical page to host page. */
  #translate(page: number, access: number): boolean {
    this.guestPhysicalPage = page;
    let host = page;
    if (this.#cpu.secondLevel !== null) {
      const entry = this.#seen.lookup(this.#cpu.secondLevel, page, page | 0);
      if ((entry & access) !== access) {
        const physical = page + (this.#linearLow & 0xfff);
        this.#violation(entry, physical, access, QUALIFICATION_TRANSLATION);
        return false;
      }
      if ((entry & EVERYTHING) !== EVERYTHING) {
        if ((entry & Access.Read) === 0) this.readable = false;
        if ((entry & Access.Write) === 0) this.writable = false;
        if ((entry & Access.Execute) === 0) this.executable = false;
      }
      host = (entry >>> 4) * 4096;
    }
    this.hostPage = host;
    this.isRam = host >= this.#ramBase && host < this.#ramEnd;
    return true;
  }

  /** Fills the exit record as an EPT violation; returns -1. */
  #violation(entry: number, physical: number, access: number, qualification: number): number {
    const exit = this.#cpu.exit;
    const rights = entry & EVERYTHING;
    exit.reset(ExitReason.EptViolation);
    exit.qualificationLow = access | (rights << 3) | QUALIFICATION_LINEAR_VALID | qualification;
    exit.guestLinearLow = this.#linearLow;
    exit.guestLinearHigh = this.#linearHigh;
    exit.guestPhysical = physical;
    this.faultKind = rights === 0 && (entry & SecondLevel.Convertible) !== 0 ? 'convertible' : 'second-level';
    return -1;
  }
}

/** Bits that must be 0 in the high half of an 8-byte paging-structure entry. */
export function reservedHigh(guestPhysicalAddressBits: number, long: boolean, noExecute: boolean): number {
  const aboveWidth = FRAME_HIGH & ~((1 << (guestPhysicalAddressBits - 32)) - 1);
  return aboveWidth | (long ? 0 : 0x7ff0_0000) | (noExecute ? 0 : NO_EXECUTE_HIGH);
}
