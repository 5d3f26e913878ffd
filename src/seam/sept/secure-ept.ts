/** The Secure EPT of one TD: tables of 512 entries, and their reflection in what the processor walks. */

import { levelBytes, type PageLevel } from '../../abi/index.ts';
import type { StateVisitor } from '../../bits/index.ts';
import { SecondLevel } from '../../cpu/index.ts';
import { PAGE_SHIFT, PAGE_SIZE_BYTES } from '../../memory/index.ts';
import { CrossingKind, type CrossingObserver, NO_REGISTERS } from '../../probe/index.ts';
import { SEPT_STATES, SeptState } from './states.ts';

const ENTRIES = 512;
/** What a table of level 0 maps. */
const TABLE_BYTES = ENTRIES * PAGE_SIZE_BYTES;

/** 4 KiB pages of a leaf of that level. */
const pagesOf = (level: PageLevel) => levelBytes(level) / PAGE_SIZE_BYTES;

/** One table page; its entries each cover levelBytes(level). */
export class SeptTable {
  readonly level: PageLevel;
  /** page the VMM gave for it; 0 for the root, which lives in the TDCS */
  readonly hpa: number;
  readonly states = new Uint8Array(ENTRIES);
  /** host page number of each leaf */
  readonly pages = new Uint32Array(ENTRIES);
  readonly children: (SeptTable | undefined)[] = [];

  constructor(level: PageLevel, hpa: number) {
    this.level = level;
    this.hpa = hpa;
  }

  stateAt(index: number): SeptState {
    return this.states[index] as SeptState;
  }
}

/** Holds the observer of the moment. */
interface Seen {
  readonly observer: CrossingObserver;
}

const RWX = SecondLevel.Read | SecondLevel.Write | SecondLevel.Execute;

export class SecureEpt {
  readonly root: SeptTable;
  readonly #secondLevel: SecondLevel;
  readonly #seen: Seen;

  /** the last table of level 0 that was walked to, and the first GPA that it maps; undefined: none, or the way to it may have changed */
  #lastTable: SeptTable;
  #lastTableGpa: number | undefined;

  /** result of the last walk: the entry it ended at */
  table: SeptTable;
  index = 0;
  level: PageLevel = 0;

  /** @param levels 4 or 5 @param seen who is told of changes */
  constructor(levels: number, secondLevel: SecondLevel, seen: Seen) {
    this.root = new SeptTable(levels - 1, 0);
    this.table = this.root;
    this.#lastTable = this.root;
    this.#secondLevel = secondLevel;
    this.#seen = seen;
  }

  /** The tables in the order of a walk from the root down, each before its children. */
  visitState(state: StateVisitor): void {
    this.#visitTable(state, this.root);
    this.table = this.root;
    this.#lastTableGpa = undefined;
  }

  /** The second level that reflects it is visited by whoever has both. */
  #visitTable(state: StateVisitor, table: SeptTable): void {
    state.array('states', table.states);
    state.array('pages', table.pages);
    const indices = state.numbers(
      'children',
      [...table.children.keys()].filter((i) => table.children[i] !== undefined),
    );
    const hpas = state.numbers(
      'hpas',
      indices.map((i) => table.children[i]?.hpa ?? 0),
    );
    if (state.restoring) {
      table.children.length = 0;
      indices.forEach((index, i) => {
        table.children[index] = new SeptTable(table.level - 1, hpas[i]!);
      });
    }
    state.list('tables', indices.length, (item, i) => this.#visitTable(item, table.children[indices[i]!]!));
  }

  /** State of the entry the last walk ended at. */
  get state(): SeptState {
    return this.table.states[this.index] as SeptState;
  }

  /** HPA of the page (leaf) or table (non-leaf) the last walk ended at. */
  get hpa(): number {
    const child = this.table.children[this.index];
    return child === undefined ? this.table.pages[this.index]! * PAGE_SIZE_BYTES : child.hpa;
  }

  /** Host address of a guest address inside the leaf the last walk ended at. */
  hpaOf(gpa: number): number {
    return this.table.pages[this.index]! * PAGE_SIZE_BYTES + (gpa & (levelBytes(this.level) - 1));
  }

  /** Walks towards the entry of `level` for a private address. Returns false if it ended above, at `table`, `index` and `level`. */
  walk(gpa: number, level: PageLevel): boolean {
    const first = this.#lastTableGpa;
    if (level === 0 && first !== undefined && gpa >= first && gpa < first + TABLE_BYTES) {
      this.table = this.#lastTable;
      this.index = (gpa - first) >> PAGE_SHIFT;
      this.level = 0;
      return true;
    }
    let table = this.root;
    for (;;) {
      const index = Math.floor(gpa / levelBytes(table.level)) % ENTRIES;
      this.table = table;
      this.index = index;
      this.level = table.level;
      if (table.level === level) {
        if (level === 0) {
          this.#lastTable = table;
          this.#lastTableGpa = gpa - (gpa % TABLE_BYTES);
        }
        return true;
      }
      if (table.states[index] !== SeptState.NL_MAPPED) return false;
      table = table.children[index]!;
    }
  }

  /** Walks to whatever leaf translates `gpa`; false if there is none. */
  walkToLeaf(gpa: number): boolean {
    return this.walk(gpa, 0) || SEPT_STATES[this.state]!.leaf;
  }

  /** Hangs a new table under the entry the last walk ended at. */
  setTable(hpa: number): void {
    this.table.states[this.index] = SeptState.NL_MAPPED;
    this.table.children[this.index] = new SeptTable(this.level - 1, hpa);
  }

  /** Are all entries of the table under the entry free? */
  get isTableFree(): boolean {
    return this.table.children[this.index]!.states.every((state) => state === SeptState.FREE);
  }

  /** Takes the table under the entry away: the entry is free. */
  removeTable(): void {
    this.table.states[this.index] = SeptState.FREE;
    this.table.children[this.index] = undefined;
    this.#lastTableGpa = undefined;
  }

  /** Makes the entry a leaf of that page and state. */
  setLeaf(gpa: number, hpa: number, state: number): void {
    this.table.pages[this.index] = hpa / PAGE_SIZE_BYTES;
    this.setState(gpa, state);
  }

  /** Changes the state of the entry the last walk ended at and what the processor sees of it. `gpa` is any address in it. */
  setState(gpa: number, state: number): void {
    const { table, index } = this;
    const before = SEPT_STATES[table.states[index]!]!;
    table.states[index] = state;
    const after = SEPT_STATES[state]!;
    if (table.level !== 0) this.#lastTableGpa = undefined;
    const start = gpa - (gpa % levelBytes(table.level));
    if (before.leaf || after.leaf) this.#tell(start, table.level, before.state, state);
    if (before.accessible || after.accessible)
      this.#reflectLeaf(start, table.level, table.pages[index]! * PAGE_SIZE_BYTES, after.accessible);
    else if (!before.leaf && !after.leaf && table.children[index] !== undefined)
      this.#reflectTable(start, table.children[index], state === SeptState.NL_MAPPED);
  }

  /** Splits the leaf the last walk ended at (for `gpa`) into 512 leaves of one state, in a table at `hpa`. */
  demote(gpa: number, hpa: number, childState: SeptState): void {
    const { table, index, level } = this;
    const child = new SeptTable(level - 1, hpa);
    const first = table.pages[index]!;
    const step = pagesOf(level - 1);
    for (let i = 0; i < ENTRIES; i++) {
      child.states[i] = childState;
      child.pages[i] = first + i * step;
    }
    const before = table.stateAt(index);
    table.children[index] = child;
    table.states[index] = SeptState.NL_MAPPED;
    const start = gpa - (gpa % levelBytes(level));
    this.#reflectTable(start, child, true);
    for (let i = 0; i < ENTRIES; i++) this.#tell(start + i * levelBytes(level - 1), level - 1, before, childState);
  }

  /** The page that the leaves under the entry make together: all mapped or all pending, side by side, on its own boundary. */
  get mergeable(): { hpa: number; state: SeptState } | undefined {
    const { states, pages, level } = this.table.children[this.index]!;
    const state = states[0] as SeptState;
    const first = pages[0]!;
    const step = pagesOf(level);
    if (state !== SeptState.MAPPED && state !== SeptState.PENDING) return undefined;
    if (first % (step * ENTRIES) !== 0) return undefined;
    for (let i = 1; i < ENTRIES; i++) if (states[i] !== state || pages[i] !== first + i * step) return undefined;
    return { hpa: first * PAGE_SIZE_BYTES, state };
  }

  /** Makes the table the last walk ended at (for `gpa`) the leaf that `mergeable` found. */
  promote(gpa: number, hpa: number, state: SeptState): void {
    const { table, index, level } = this;
    table.children[index] = undefined;
    this.#lastTableGpa = undefined;
    table.pages[index] = hpa / PAGE_SIZE_BYTES;
    table.states[index] = state;
    const start = gpa - (gpa % levelBytes(level));
    this.#reflectLeaf(start, level, hpa, SEPT_STATES[state]!.accessible);
    this.#tell(start, level, state, state);
  }

  #tell(gpa: number, level: PageLevel, before: number, after: number): void {
    this.#seen.observer.crossing(CrossingKind.PrivatePage, -1, after, level + 256 * before, gpa, 0, 0, NO_REGISTERS);
  }

  #reflectLeaf(start: number, level: PageLevel, hpa: number, accessible: boolean): void {
    const pages = pagesOf(level);
    for (let i = 0; i < pages; i++)
      this.#secondLevel.set(
        start + i * PAGE_SIZE_BYTES,
        accessible ? SecondLevel.entry(hpa + i * PAGE_SIZE_BYTES, RWX) : 0,
      );
  }

  #reflectTable(start: number, table: SeptTable, reachable: boolean): void {
    for (let i = 0; i < ENTRIES; i++) {
      const state = SEPT_STATES[table.states[i]!]!;
      const at = start + i * levelBytes(table.level);
      const child = table.children[i];
      if (child !== undefined) this.#reflectTable(at, child, reachable && state.state === SeptState.NL_MAPPED);
      else if (state.accessible) this.#reflectLeaf(at, table.level, table.pages[i]! * PAGE_SIZE_BYTES, reachable);
    }
  }
}
