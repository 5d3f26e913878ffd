/** Names of a Linux kernel's symbols, from the guest's own memory: a stripped kernel at a random place still knows them itself. */

import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import type { LinearPages } from '../linear-pages.ts';
import type { SymbolLookup } from '../symbols.ts';
import { findKallsyms, findTokenIndex, holdsTokens, type Kallsyms, LONGEST_TABLE_BYTES } from './kallsyms.ts';

/** Where kernel images are mapped. Source: Linux, Documentation/arch/x86/x86_64/mm.rst. */
const KERNEL_BASE = 0xffff_ffff_8000_0000n;
/** the same as signed addresses */
const KERNEL_START = -0x8000_0000;
const KERNEL_END = -0x4000_0000;
/** The tokens and their index reach less far around any place in the index. */
const BYTES_AROUND_INDEX = 2 * LONGEST_TABLE_BYTES;
/** The names are before the tokens, the addresses behind: what a distribution's kernel has, and what any has. */
const TABLE_BYTES: readonly (readonly [before: number, behind: number])[] = [
  [3 << 20, 1 << 20],
  [16 << 20, 8 << 20],
];
/** Before the kernel has unpacked itself there is nothing to find: another try after so much virtual time. */
const TICKS_BETWEEN_TRIES = 50_000_000;
const MOST_TRIES = 40;

/** Where tokens of a table may be, in memory that is looked at where it is: a copy of a kernel costs more than all else here. */
function* placesOfTokens(guest: LinearPages): Generator<{ readonly address: number; readonly mappedFrom: number }> {
  let mappedFrom = KERNEL_START;
  for (let address = KERNEL_START; address < KERNEL_END; ) {
    const gpa = guest.physicalOf(address);
    const end = address + guest.spanBytes;
    if (gpa < 0) mappedFrom = end;
    for (let page = address; page < end && gpa >= 0; page += PAGE_SIZE_BYTES) {
      const host = guest.hostOf(gpa + page - address);
      if (host < 0) mappedFrom = page + PAGE_SIZE_BYTES;
      else if (findTokenIndex(guest.memory.view, host, host + PAGE_SIZE_BYTES) >= 0)
        yield { address: page, mappedFrom };
    }
    address = end;
  }
}

/** Reads the symbol table now; undefined where there is none. */
export function readGuestSymbols(guest: LinearPages): Kallsyms | undefined {
  for (const { address, mappedFrom } of placesOfTokens(guest)) {
    const around = Math.max(mappedFrom, address - BYTES_AROUND_INDEX);
    if (!holdsTokens(guest.read(around, address - around + PAGE_SIZE_BYTES + BYTES_AROUND_INDEX))) continue;
    for (const [before, behind] of TABLE_BYTES) {
      const from = Math.max(mappedFrom, address - before);
      const found = findKallsyms(guest.read(from, address - from + behind), around - from);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The symbols of a guest, read when one is first asked for, and again later if there were none yet. */
export class GuestSymbols {
  readonly #guest: LinearPages;
  readonly #nowTicks: () => number;
  #found: Kallsyms | undefined;
  #tries = 0;
  #nextTry = 0;

  constructor(guest: LinearPages, nowTicks: () => number) {
    this.#guest = guest;
    this.#nowTicks = nowTicks;
  }

  /** Name of an address of the kernel. */
  readonly functionAt: SymbolLookup = (address) =>
    address < KERNEL_BASE ? undefined : this.#table()?.functionAt(address);

  /** Address of a symbol of any kind. */
  addressOf(name: string): bigint | undefined {
    return this.#table()?.addressOf(name);
  }

  #table(): Kallsyms | undefined {
    if (this.#found === undefined && this.#tries < MOST_TRIES && this.#nowTicks() >= this.#nextTry) {
      this.#tries++;
      this.#nextTry = this.#nowTicks() + TICKS_BETWEEN_TRIES;
      this.#found = readGuestSymbols(this.#guest);
    }
    return this.#found;
  }
}
