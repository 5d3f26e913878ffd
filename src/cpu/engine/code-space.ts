/** Where decoded code lies: in one area of memory, records from its front, tables of them from its end, block heads in pages of their own. */
import { invariant } from '../../bits/index.ts';
import type { HostMemory } from '../../memory/index.ts';
import { RECORD_BYTES } from './record.ts';

export const PAGE_BYTES = 4096;
const PAGE_SHIFT = 12;
/** of a table, in a page of memory */
export const ENTRIES_IN_PAGE = PAGE_BYTES / 4;
const TABLE_BYTES = PAGE_BYTES * 4;
/** Left free when room is asked for: more than one region's discovery can decode, with a table. */
const RESERVE_BYTES = 1 << 20;

export class CodeSpace {
  readonly #i32: Int32Array;
  readonly #base: number;
  readonly #bytes: number;
  /** bytes in use from the front, and where the tables begin, which grow towards them from a page's end */
  #used = 0;
  #tablesFrom: number;
  /** by page of the area: 1 where tables may have entries */
  readonly #touched: Uint8Array;
  /** room for block heads */
  #heads = 0;
  #headsEnd = 0;
  /** counts how often everything was dropped */
  generation = 0;

  constructor(memory: HostMemory, bytes: number) {
    this.#i32 = memory.i32;
    this.#base = memory.reserveProcessorArea(bytes);
    this.#bytes = bytes - ((this.#base + bytes) % PAGE_BYTES);
    this.#tablesFrom = this.#bytes;
    this.#touched = new Uint8Array((this.#bytes >>> PAGE_SHIFT) + 2);
  }

  /** True if whatever one step of the engine adds still fits; otherwise everything is to be dropped. */
  get hasRoom(): boolean {
    return this.#used + RESERVE_BYTES <= this.#tablesFrom;
  }

  /** Clears all of it for use from the start; no record may be in use. */
  drop(): void {
    this.#i32.fill(0, this.#base >> 2, (this.#base + this.#used) >> 2);
    this.#i32.fill(0, (this.#base + this.#tablesFrom) >> 2, (this.#base + this.#bytes) >> 2);
    this.#used = 0;
    this.#tablesFrom = this.#bytes;
    this.#touched.fill(0);
    this.#heads = this.#headsEnd = 0;
    this.generation++;
  }

  /** Where the next record will lie. */
  get nextRecord(): number {
    return this.#base + this.#used;
  }

  takeRecord(): number {
    return this.#take(RECORD_BYTES);
  }

  #take(bytes: number): number {
    const at = this.#base + this.#used;
    this.#used += bytes;
    invariant(this.#used <= this.#tablesFrom, 'the code cache keeps its reserve, so a step of the engine always fits');
    return at;
  }

  /** Tables lie behind all else, each in pages of its own. */
  takeTable(): number {
    this.#tablesFrom -= TABLE_BYTES;
    return this.#base + this.#tablesFrom;
  }

  /** Heads lie together, because they are what a jump reads. */
  takeHead(): number {
    if (this.#heads === this.#headsEnd) {
      this.#heads = this.#take(PAGE_BYTES);
      this.#headsEnd = this.#heads + PAGE_BYTES;
    }
    this.#heads += RECORD_BYTES;
    return this.#heads - RECORD_BYTES;
  }

  /**
   * The entry of a table, which is going to be written. The first access to a page of memory is a write: reading would map a page of zeros, and writing
   * would then replace it, which takes a second fault and stops the other threads for a moment.
   */
  entryOf(table: number, offset: number): number {
    const at = (table >> 2) + offset;
    const page = this.#pageOf(table, offset);
    if (this.#touched[page] !== 0) return this.#i32[at]!;
    this.#touched[page] = 1;
    this.#i32[at] = 0;
    return 0;
  }

  /** False: the page of memory that a table's entry is in has no entries. */
  mayHaveEntries(table: number, offset: number): boolean {
    return this.#touched[this.#pageOf(table, offset)] !== 0;
  }

  /** Visits the entries of a table that are not 0, by page offset. */
  forEachEntry(table: number, visit: (offset: number, entry: number) => void): void {
    for (let at = 0; at < PAGE_BYTES; at++)
      if (!this.mayHaveEntries(table, at)) at |= ENTRIES_IN_PAGE - 1;
      else {
        const entry = this.#i32[(table >> 2) + at]!;
        if (entry !== 0) visit(at, entry);
      }
  }

  /** Number of the page of memory, from the area's first, where a table's entry is. */
  #pageOf(table: number, offset: number): number {
    return ((table + offset * 4) >>> PAGE_SHIFT) - (this.#base >>> PAGE_SHIFT);
  }
}
