/** Which host pages hold decoded code: for each page and mode a table from page offset to record, and others for code that may not use some vector state. */
import type { StateVisitor } from '../../bits/index.ts';
import type { HostMemory } from '../../memory/index.ts';
import type { CodeSpace } from './code-space.ts';

const PAGE_SHIFT = 12;
const MODE_INDEX: Readonly<Record<number, number>> = { 16: 0, 32: 1, 64: 2 };
/** Tables of a page in which no vector state is forbidden. */
export const MODES = 3;
/** Sets of vector states that may be forbidden: bits of `VectorState`. */
const VECTOR_STATES = 4;
/** Beside the modes of a page: it has restricted tables. */
const RESTRICTED = 3;
const NONE = new Int32Array();

export class RecordTables {
  readonly #space: CodeSpace;
  /** by page number * 4 + index of the mode; 0 = none. At `RESTRICTED`: not 0 if the page has others too */
  readonly #tables: Int32Array;
  /** 1 where a page has a table, by page number: generated code looks there */
  readonly #codePages: Uint8Array;
  /** tables of code that may not use some vector state, by page number: forbidden state * 4 + index of the mode */
  readonly #restricted = new Map<number, Int32Array>();
  /** what may not be used in a table, where that is not nothing */
  readonly #forbiddenIn = new Map<number, number>();

  constructor(memory: HostMemory, space: CodeSpace) {
    this.#space = space;
    const pages = memory.u8.length >>> PAGE_SHIFT;
    this.#tables = new Int32Array(pages * 4);
    this.#codePages = memory.u8.subarray(memory.codePages, memory.codePages + pages);
  }

  /** True if instructions of this host page are decoded: writes to it must be seen. */
  isCode(hostPage: number): boolean {
    return this.#codePages[hostPage >>> PAGE_SHIFT] !== 0;
  }

  /** The page counts as data again; it keeps its tables, empty. */
  becomesData(hostPage: number): void {
    this.#codePages[hostPage >>> PAGE_SHIFT] = 0;
  }

  /** Addresses of all pages of code. */
  *codePages(): Generator<number> {
    for (let page = 0; page < this.#codePages.length; page++) if (this.#codePages[page] !== 0) yield page << PAGE_SHIFT;
  }

  /** The table of a page of code in which the vector states `forbidden` (bits of `VectorState`) fault; 0: none yet. */
  table(hostPage: number, mode: number, forbidden: number): number {
    return this.isCode(hostPage) ? this.#tableOnce(hostPage, mode, forbidden) : 0;
  }

  /** The table that a page has, or had before it became data. */
  #tableOnce(hostPage: number, mode: number, forbidden: number): number {
    const page = hostPage >>> PAGE_SHIFT;
    if (forbidden === 0) return this.#tables[page * 4 + MODE_INDEX[mode]!]!;
    return this.#restricted.get(page)?.[forbidden * 4 + MODE_INDEX[mode]!] ?? 0;
  }

  /** The table of a page for one of the `MODES`, by number, in which nothing is forbidden; 0: it never had one. */
  unrestricted(hostPage: number, modeIndex: number): number {
    return this.#tables[(hostPage >>> PAGE_SHIFT) * 4 + modeIndex]!;
  }

  /** The other tables of a page; 0 where there is none. */
  restricted(hostPage: number): Int32Array {
    const page = hostPage >>> PAGE_SHIFT;
    return this.#tables[page * 4 + RESTRICTED] === 0 ? NONE : (this.#restricted.get(page) ?? NONE);
  }

  /** Makes a table. */
  create(hostPage: number, mode: number, forbidden: number): number {
    const page = hostPage >>> PAGE_SHIFT;
    const earlier = this.#tableOnce(hostPage, mode, forbidden);
    this.#codePages[page] = 1;
    if (earlier !== 0) return earlier;
    const table = this.#space.takeTable();
    if (forbidden === 0) {
      this.#tables[page * 4 + MODE_INDEX[mode]!] = table;
      return table;
    }
    const restricted = this.#restricted.get(page) ?? new Int32Array(4 * VECTOR_STATES);
    restricted[forbidden * 4 + MODE_INDEX[mode]!] = table;
    this.#restricted.set(page, restricted);
    this.#forbiddenIn.set(table, forbidden);
    this.#tables[page * 4 + RESTRICTED] = 1;
    return table;
  }

  /** Vector states that code of a table may not use. */
  forbidden(table: number): number {
    return this.#forbiddenIn.size === 0 ? 0 : (this.#forbiddenIn.get(table) ?? 0);
  }

  drop(): void {
    this.#tables.fill(0);
    this.#codePages.fill(0);
    this.#restricted.clear();
    this.#forbiddenIn.clear();
  }

  /** Which pages hold decoded code, since writes to them go another way; the records are made anew when they are needed. @param dropAll forgets all there is */
  visitState(state: StateVisitor, dropAll: () => void): void {
    const pages: number[] = [];
    for (let index = 0; index < this.#tables.length; index++)
      if (this.#tables[index] !== 0 && this.#codePages[index >> 2] !== 0) pages.push(index);
    const saved = state.numbers('codePages', pages);
    if (!state.restoring) return;
    dropAll();
    for (const index of saved)
      if (this.#space.hasRoom) {
        this.#tables[index] = index % 4 === RESTRICTED ? 1 : this.#space.takeTable();
        this.#codePages[index >> 2] = 1;
      }
  }
}
