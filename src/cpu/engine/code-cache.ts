/** Predecoded code by host page: a table from page offset to record, and the records in runs of straight-line code. */
import { invariant, type StateVisitor } from '../../bits/index.ts';
import type { Instruction } from '../../isa/index.ts';
import type { HostMemory } from '../../memory/index.ts';
import type { HostOperation } from '../processor.ts';
import { type Binder, Trait, VECTOR_STATE_SHIFT } from './binder.ts';
import type { MixableCode } from './engine-mixer.ts';
import type { FoundRegion, GeneratedRegion, GeneratedRegions, RegionLibrary } from './generated-code.ts';
import { Handler, type HandlerTable } from './handlers.ts';
import type { JumpCaches } from './jump-caches.ts';
import type { Predecoder } from './predecoder.ts';
import { ENTERED, LEADS_ON, R, RECORD_BYTES } from './record.ts';
import type { CompiledRegion, CompiledRegions, RegionCompiler } from './region-compiler.ts';
import { Known, type RegionRequest } from './region-request.ts';

const PAGE_BYTES = 4096;
const PAGE_SHIFT = 12;
/** of a table, in a page of memory */
const ENTRIES_IN_PAGE = PAGE_BYTES / 4;
const TABLE_BYTES = PAGE_BYTES * 4;
/** A run ends after so many instructions, so that code that is never reached is not decoded. */
const RUN_INSTRUCTIONS = 64;
const LONGEST_INSTRUCTION = 15;
const RET_OPCODE = 0xc3;
/** Visits of a head whose code has changed, before it is looked up again: a change is often one of several. */
const VISITS_WHILE_CODE_CHANGES = 32;
/** Writes beside the code of a page after which it counts as data, the first time. */
const FIRST_PATIENCE = 16;
/** Left free when room is asked for: more than one region's discovery can decode, with a table. */
const RESERVE_BYTES = 1 << 20;

const MODE_INDEX: Readonly<Record<number, number>> = { 16: 0, 32: 1, 64: 2 };

/** Sets of vector states that may be forbidden: bits of `VectorState`. */
const VECTOR_STATES = 4;

/** Beside the modes of a page: it has restricted tables. */
const RESTRICTED = 3;

/** A compiled function in use. */
interface Region {
  readonly handler: number;
  /** nobody else uses the function */
  readonly owned: boolean;
  readonly table: number;
  /** page offset of each block */
  readonly blocks: readonly number[];
  /** [from, to) page offsets of the code that it stands for */
  readonly spans: readonly (readonly [number, number])[];
}

/** A request for compilation that is not answered yet. */
interface OpenRequest extends RegionRequest {
  readonly head: number;
  readonly hostPage: number;
  readonly generation: number;
}

/** An instruction that the host executes, decoded, and what does it; undefined: nobody does. */
export interface HostStep {
  readonly instruction: Instruction;
  readonly operation: HostOperation | undefined;
}

export class CodeCache implements MixableCode {
  readonly #i32: Int32Array;
  readonly #u8: Uint8Array;
  readonly #base: number;
  readonly #cacheBytes: number;
  readonly #predecoder: Predecoder;
  readonly #binder: Binder;
  readonly #handlers: HandlerTable;
  readonly #jumps: JumpCaches;
  /** record tables of a host page, by page number * 4 + mode; 0 = none. At mode 3: not 0 if the page has others too */
  readonly #tables: Int32Array;
  /** 1 where a page has a record table, by page number: generated code looks there */
  readonly #codePages: Uint8Array;
  /** record tables of code that may not use some vector state, by page number: forbidden state * 4 + mode */
  readonly #restrictedTables = new Map<number, Int32Array>();
  /** what may not be used in a table, where that is not nothing */
  readonly #forbiddenIn = new Map<number, number>();
  /** what the host executes at its records, by the number that the record holds; nothing at 0 */
  readonly #hostSteps: (HostStep | undefined)[] = [undefined];
  /** the same for records that have a handler, which left it to the host, by record */
  readonly #deferredSteps = new Map<number, HostStep>();
  readonly #u16: Uint16Array;
  readonly #compiler: RegionCompiler | null;
  readonly #regions = new Map<number, Region[]>();
  /** records of straddling instructions by the host page of their second half */
  readonly #straddling = new Map<number, Set<number>>();
  /** where a branch enters a region: by index of the table entry */
  readonly #entries = new Map<number, { readonly region: Region; readonly block: number }>();
  #waiting: OpenRequest[] = [];
  readonly #library: RegionLibrary | undefined;
  readonly #libraryHandlers = new Map<GeneratedRegions, readonly number[]>();
  /** what has been compiled in this run */
  readonly generated: GeneratedRegions[] = [];
  /** writes to pages of code that met no code, since the page became code */
  readonly #besideCode = new Map<number, { writes: number; patience: number }>();
  readonly #submitted = new Map<number, OpenRequest>();
  #nextRequest = 0;
  /** bytes in use from the front, and where the tables begin, which grow towards them from a page's end */
  #used = 0;
  #tablesFrom: number;
  /** by page of the cache: 1 where tables may have entries */
  readonly #touched: Uint8Array;
  /** room for block heads */
  #heads = 0;
  #headsEnd = 0;
  /** visits after which a block is compiled; 0: never */
  compileAfter: number;
  regionsCompiled = 0;
  instructionsCompiled = 0;
  /** counts how often everything was dropped */
  generation = 0;
  instructionsDecoded = 0;
  /** page offsets, not 0, whose instructions go to the host one by one, for a debugger; null: nobody debugs */
  debugOffsets: Uint8Array | null = null;

  constructor(
    memory: HostMemory,
    predecoder: Predecoder,
    binder: Binder,
    handlers: HandlerTable,
    jumps: JumpCaches,
    compiler: RegionCompiler | null,
    library: RegionLibrary | undefined,
    cacheBytes: number,
  ) {
    this.#i32 = memory.i32;
    this.#u8 = memory.u8;
    this.#predecoder = predecoder;
    this.#binder = binder;
    this.#handlers = handlers;
    this.#jumps = jumps;
    this.#u16 = new Uint16Array(memory.wasm.buffer);
    this.#compiler = compiler;
    this.#library = library;
    this.compileAfter = compiler?.visits ?? 0;
    this.#base = memory.reserveProcessorArea(cacheBytes);
    this.#cacheBytes = cacheBytes - ((this.#base + cacheBytes) % PAGE_BYTES);
    this.#tablesFrom = this.#cacheBytes;
    this.#touched = new Uint8Array((this.#cacheBytes >>> PAGE_SHIFT) + 2);
    const pages = memory.u8.length >>> 12;
    this.#tables = new Int32Array(pages * 4);
    this.#codePages = memory.u8.subarray(memory.codePages, memory.codePages + pages);
  }

  /** True if instructions of this host page are decoded: writes to it must be seen. */
  isCode(hostPage: number): boolean {
    return this.#codePages[hostPage >>> 12] !== 0;
  }

  /** The record table of a host page for code in which the vector states `forbidden` (bits of `VectorState`) fault; 0: none yet. */
  table(hostPage: number, mode: number, forbidden: number): number {
    return this.isCode(hostPage) ? this.#tableOnce(hostPage, mode, forbidden) : 0;
  }

  /** The table that a page has, or had before it became data. */
  #tableOnce(hostPage: number, mode: number, forbidden: number): number {
    if (forbidden === 0) return this.#tables[(hostPage >>> 12) * 4 + MODE_INDEX[mode]!]!;
    return this.#restrictedTables.get(hostPage >>> 12)?.[forbidden * 4 + MODE_INDEX[mode]!] ?? 0;
  }

  /** Makes the table. The caller has asked for room, and takes away write rights to the page. */
  createTable(hostPage: number, mode: number, forbidden: number): number {
    const page = hostPage >>> 12;
    const earlier = this.#tableOnce(hostPage, mode, forbidden);
    this.#codePages[page] = 1;
    if (earlier !== 0) return earlier;
    const table = this.#takeTable();
    if (forbidden === 0) {
      this.#tables[page * 4 + MODE_INDEX[mode]!] = table;
      return table;
    }
    const restricted = this.#restrictedTables.get(page) ?? new Int32Array(4 * VECTOR_STATES);
    restricted[forbidden * 4 + MODE_INDEX[mode]!] = table;
    this.#restrictedTables.set(page, restricted);
    this.#forbiddenIn.set(table, forbidden);
    this.#tables[page * 4 + RESTRICTED] = 1;
    return table;
  }

  /** Which pages hold decoded code, since writes to them go another way; the records are made anew when they are needed. */
  visitState(state: StateVisitor): void {
    const pages: number[] = [];
    for (let index = 0; index < this.#tables.length; index++)
      if (this.#tables[index] !== 0 && this.#codePages[index >> 2] !== 0) pages.push(index);
    const saved = state.numbers('codePages', pages);
    if (!state.restoring) return;
    this.dropAll();
    for (const index of saved)
      if (this.hasRoom) {
        this.#tables[index] = index % 4 === RESTRICTED ? 1 : this.#takeTable();
        this.#codePages[index >> 2] = 1;
      }
  }

  /** True if whatever one step of the engine adds still fits; otherwise `dropAll` is due. */
  get hasRoom(): boolean {
    return this.#used + RESERVE_BYTES <= this.#tablesFrom;
  }

  /** Forgets everything; no record may be in use. */
  dropAll(): void {
    this.#i32.fill(0, this.#base >> 2, (this.#base + this.#used) >> 2);
    this.#i32.fill(0, (this.#base + this.#tablesFrom) >> 2, (this.#base + this.#cacheBytes) >> 2);
    this.#tables.fill(0);
    this.#codePages.fill(0);
    this.#restrictedTables.clear();
    this.#forbiddenIn.clear();
    for (const regions of this.#regions.values())
      for (const region of regions) if (region.owned) this.#handlers.freeRegion(region.handler);
    this.#regions.clear();
    this.#entries.clear();
    this.#waiting = [];
    this.#straddling.clear();
    this.#hostSteps.length = 1;
    this.#deferredSteps.clear();
    this.#used = 0;
    this.#tablesFrom = this.#cacheBytes;
    this.#touched.fill(0);
    this.#heads = this.#headsEnd = 0;
    this.#jumps.forget();
    this.generation++;
  }

  /** Vector states that code of a table may not use. */
  #forbidden(table: number): number {
    return this.#forbiddenIn.size === 0 ? 0 : (this.#forbiddenIn.get(table) ?? 0);
  }

  #take(bytes: number): number {
    const at = this.#base + this.#used;
    this.#used += bytes;
    invariant(this.#used <= this.#tablesFrom, 'the code cache keeps its reserve, so a step of the engine always fits');
    return at;
  }

  /** Tables lie behind all else, each in pages of its own. */
  #takeTable(): number {
    this.#tablesFrom -= TABLE_BYTES;
    return this.#base + this.#tablesFrom;
  }

  /**
   * The entry of a table, which is going to be written. The first access to a page of memory is a write: reading would map a page of zeros, and writing
   * would then replace it, which takes a second fault and stops the other threads for a moment.
   */
  #entryOf(table: number, offset: number): number {
    const at = (table >> 2) + offset;
    const page = this.#pageOf(table, offset);
    if (this.#touched[page] !== 0) return this.#i32[at]!;
    this.#touched[page] = 1;
    this.#i32[at] = 0;
    return 0;
  }

  /** Number of the page of memory, from the cache's first, where a table's entry is; without being `#touched` it holds no entries. */
  #pageOf(table: number, offset: number): number {
    return ((table + offset * 4) >>> PAGE_SHIFT) - (this.#base >>> PAGE_SHIFT);
  }

  /** Heads lie together, because they are what a jump reads. */
  #takeHead(): number {
    if (this.#heads === this.#headsEnd) {
      this.#heads = this.#take(PAGE_BYTES);
      this.#headsEnd = this.#heads + PAGE_BYTES;
    }
    this.#heads += RECORD_BYTES;
    return this.#heads - RECORD_BYTES;
  }

  /**
   * Where a jump to a page offset goes on: at the region, or the block head, or the record that is there, decoded now if it was not.
   * From now on generated code finds the way by itself.
   */
  find(table: number, hostPage: number, offset: number, mode: number): number {
    const entry = this.#entryOf(table, offset);
    const record = entry & ~ENTERED;
    if (record !== entry) return record;
    if (record !== 0) return this.#enter(table, hostPage, offset, record, mode);
    if (mode === 64 && this.#enterKnownRegion(table, hostPage, offset)) return this.record(table, offset);
    return this.#enter(table, hostPage, offset, this.#decodeRun(table, hostPage, offset, mode), mode);
  }

  /** The record that executes the instruction itself at a page offset, behind block heads and regions. */
  findPlain(table: number, hostPage: number, offset: number, mode: number): number {
    const first = this.find(table, hostPage, offset, mode);
    const plain = this.plain(first);
    if (plain !== 0) return plain;
    const decoded = this.#decodeRun(table, hostPage, offset, mode, true);
    this.#i32[(first + R.link) >> 2] = decoded;
    return decoded;
  }

  /** True if code of this run or an earlier one stands for what is at the offset; its head leads there. */
  #enterKnownRegion(table: number, hostPage: number, offset: number): boolean {
    const at = (table >> 2) + offset;
    const entry = this.#entries.get(at);
    if (entry !== undefined) this.#makeRegionHead(at, entry.region, entry.block, hostPage, offset);
    else this.#lookUp(table, offset, hostPage);
    return this.#i32[at] !== 0;
  }

  /** A block head for code that the interpreter has never seen. */
  #makeRegionHead(at: number, region: Region, block: number, hostPage: number, offset: number): void {
    const head = this.#takeHead();
    this.#binder.writeSpecial(head, Handler.Stale, offset);
    this.#u8[head + R.scaleShift] = LEADS_ON;
    this.#markReturn(head, hostPage, offset);
    this.#enterRegion(head, region, block);
    this.#i32[at] = head | ENTERED;
  }

  /**
   * Decodes from `offset` until the straight line ends; returns the first record.
   * @param behindHead the place has a block head already, which stays
   */
  #decodeRun(table: number, hostPage: number, offset: number, mode: number, behindHead = false): number {
    const first = this.#base + this.#used;
    const forbidden = this.#forbidden(table);
    let at = offset;
    let before = 0;
    for (let count = 0; ; count++) {
      if (at >= 4096 || count === RUN_INSTRUCTIONS) {
        this.#binder.writeSpecial(this.#take(RECORD_BYTES), Handler.Lookup, at);
        break;
      }
      const entry = (table >> 2) + at;
      const known = this.#entryOf(table, at) & ~ENTERED;
      const isHeadOfRun = behindHead && count === 0;
      if (known !== 0 && !isHeadOfRun) {
        this.#binder.writeSpecial(this.#take(RECORD_BYTES), Handler.Goto, at, known);
        break;
      }
      const record = this.#take(RECORD_BYTES);
      if (!isHeadOfRun) this.#i32[entry] = record;
      this.instructionsDecoded++;
      if (this.#isDebugged(at)) {
        this.#binder.writeSpecial(record, Handler.Straddle, at);
        break;
      }
      const traits = this.#predecoder.write(record, hostPage, at, mode);
      if (traits < 0) break;
      if (((traits >> VECTOR_STATE_SHIFT) & forbidden) !== 0) {
        this.#binder.writeSpecial(record, Handler.Straddle, at);
        break;
      }
      if ((before & Trait.SetsFlags) !== 0 && (traits & Trait.ConditionalBranch) !== 0) {
        const first = (record - RECORD_BYTES) >> 2;
        this.#i32[first] = this.#handlers.fusedIndex(this.#i32[first]!, this.#i32[record >> 2]!);
      }
      before = traits;
      at += this.#u8[record + R.length]!;
      if ((traits & Trait.EndsRun) !== 0) break;
    }
    // a handler may name the record behind it even when it never goes there
    this.#binder.writeSpecial(this.#take(RECORD_BYTES), Handler.Lookup, at);
    this.#handlers.flush();
    return first;
  }

  #isDebugged(offset: number): boolean {
    return this.debugOffsets !== null && this.debugOffsets[offset] !== 0;
  }

  /** A debugger cares for one more page offset: what is decoded there, in any page, is forgotten. */
  debugOffsetAdded(offset: number): void {
    for (let page = 0; page < this.#tables.length >> 2; page++)
      if (this.isCode(page << 12)) this.written((page << 12) + offset, 1);
  }

  /** What the host executes at a record, if it was kept. */
  hostStep(record: number): HostStep | undefined {
    const word = record >> 2;
    if (this.#i32[word] !== Handler.Host) return this.#deferredSteps.get(record);
    return this.#hostSteps[this.#i32[word + R.hostStep / 4]!];
  }

  keepHostStep(record: number, step: HostStep): void {
    const word = record >> 2;
    if (this.#i32[word] !== Handler.Host) this.#deferredSteps.set(record, step);
    else this.#i32[word + R.hostStep / 4] = this.#hostSteps.push(step) - 1;
  }

  /** The record at a page offset; 0: none yet. */
  record(table: number, offset: number): number {
    return this.#i32[(table >> 2) + offset]! & ~ENTERED;
  }

  /** A jump enters where `record` is, or a head of it. Code that can be compiled gets a block head if it has none. */
  #enter(table: number, hostPage: number, offset: number, record: number, mode: number): number {
    const first = mode === 64 ? this.#head(table, hostPage, offset, record) : record;
    this.#i32[(table >> 2) + offset] = first | ENTERED;
    return first;
  }

  #head(table: number, hostPage: number, offset: number, record: number): number {
    if (this.#isHead(record) || this.compileAfter === 0) return record;
    if (!this.hasRoom) return record;
    const head = this.#takeHead();
    this.#binder.writeSpecial(head, Handler.Count, this.#u16[(record + R.nextOffset) >> 1]!, record);
    this.#u8[head + R.length] = this.#u8[record + R.length]!;
    this.#markReturn(head, hostPage, offset);
    this.#count(head, this.compileAfter);
    this.#i32[(table >> 2) + offset] = head | ENTERED;
    const entry = this.#entries.get((table >> 2) + offset);
    if (entry !== undefined) this.#enterRegion(head, entry.region, entry.block);
    else this.#lookUp(table, offset, hostPage);
    return head;
  }

  /** Generated code may do a plain RET itself when it gets to its head. */
  #markReturn(head: number, hostPage: number, offset: number): void {
    if (this.#u8[hostPage + offset] === RET_OPCODE && !this.#isDebugged(offset)) this.#u8[head + R.returns] = 1;
  }

  #isHead(record: number): boolean {
    const handler = this.#i32[record >> 2]!;
    return handler === Handler.Count || this.#handlers.isRegion(handler);
  }

  /** The record that executes the instruction itself: behind block heads and forwarding. 0: it is not decoded. */
  plain(record: number): number {
    let at = record;
    while (at !== 0 && (this.#i32[at >> 2] === Handler.Goto || this.#isHead(at))) at = this.#i32[(at + R.link) >> 2]!;
    return at;
  }

  /**
   * A guest has written to a page of code, where no code was. Pages change their use: after many such writes the page counts as data again, and what is
   * decoded in it is forgotten. True if so: processors must forget where its code was. Each time it becomes code again it takes more.
   */
  wroteBesideCode(hostPage: number): boolean {
    const seen = this.#besideCode.get(hostPage) ?? { writes: 0, patience: FIRST_PATIENCE };
    this.#besideCode.set(hostPage, seen);
    if (++seen.writes < seen.patience) return false;
    seen.writes = 0;
    seen.patience *= 4;
    this.written(hostPage, PAGE_BYTES);
    this.#codePages[hostPage >>> 12] = 0;
    return true;
  }

  /** Code bytes [host, host + length) within one page have changed: their instructions are decoded again when reached. True if there were any. */
  written(host: number, length: number): boolean {
    const page = (host & ~4095) >>> 0;
    const first = host & 4095;
    const last = first + length;
    const tables = (page >>> 12) * 4;
    let changed = false;
    for (let mode = 0; mode < RESTRICTED; mode++)
      if (this.#forget(this.#tables[tables + mode]!, first, last)) changed = true;
    if (this.#tables[tables + RESTRICTED] !== 0)
      for (const table of this.#restrictedTables.get(page >>> 12) ?? [])
        if (this.#forget(table, first, last)) changed = true;
    if (first < LONGEST_INSTRUCTION && this.#dropStraddling(page)) changed = true;
    const regions = this.#regions.get(page);
    if (regions === undefined) return changed;
    for (let i = regions.length - 1; i >= 0; i--) {
      const region = regions[i]!;
      if (!overlaps(region.spans, first, last)) continue;
      regions.splice(i, 1);
      this.#dropRegion(region);
      changed = true;
    }
    return changed;
  }

  /** Forgets the records of a table that hold one of the bytes from page offset `first` to before `last`; true if there were any. */
  #forget(table: number, first: number, last: number): boolean {
    if (table === 0) return false;
    const i32 = this.#i32;
    let changed = false;
    for (let at = Math.max(0, first - LONGEST_INSTRUCTION + 1); at < last; ) {
      // entries stand in pages of memory; most of a table's have none
      const end = Math.min(last, (at | (ENTRIES_IN_PAGE - 1)) + 1);
      if (this.#touched[this.#pageOf(table, at)] === 0) at = end;
      for (; at < end; at++) {
        const record = i32[(table >> 2) + at]! & ~ENTERED;
        if (record === 0) continue;
        const length = this.#u8[record + R.length]!;
        if (length !== 0 && at + length <= first) continue;
        i32[(table >> 2) + at] = 0;
        this.#staleChain(record, at);
        changed = true;
      }
    }
    return changed;
  }

  get compiledPages(): readonly number[] {
    return [...this.#regions.keys()];
  }

  dropRegions(hostPage: number): void {
    for (const region of this.#regions.get(hostPage) ?? []) this.#dropRegion(region);
    this.#regions.delete(hostPage);
  }

  forgetPage(hostPage: number): void {
    this.written(hostPage, PAGE_BYTES);
  }

  /** Heads of a region lead to plain records again. */
  #dropRegion(region: Region): void {
    this.#jumps.forget();
    for (const block of region.blocks) {
      const at = (region.table >> 2) + block;
      if (this.#entries.get(at)?.region !== region) continue;
      this.#entries.delete(at);
      const head = this.#i32[at]! & ~ENTERED;
      if (head === 0 || this.#i32[head >> 2] !== region.handler) continue;
      if (this.#i32[(head + R.link) >> 2] !== 0) this.#lookAgain(head);
      else {
        this.#i32[head >> 2] = Handler.Stale;
        this.#i32[at] = 0;
      }
    }
    if (region.owned) this.#handlers.freeRegion(region.handler);
  }

  /** True if the record's instruction is kept, with its second half in `secondPage`. */
  keepsStraddling(record: number, secondPage: number): boolean {
    return (
      this.#i32[record >> 2] === Handler.StraddleKnown &&
      this.#i32[(record + R.displacement) >> 2]! >>> 0 === secondPage
    );
  }

  /** Keeps the instruction of a straddling record for as long as its second half lies in `secondPage`. */
  keepStraddling(record: number, instruction: Instruction, offset: number, secondPage: number): void {
    const kept = this.#take(RECORD_BYTES);
    this.#binder.write(kept, instruction, offset, false);
    this.#binder.writeSpecial(this.#take(RECORD_BYTES), Handler.Lookup, offset + instruction.length);
    this.#handlers.flush();
    this.#i32[record >> 2] = Handler.StraddleKnown;
    this.#i32[(record + R.link) >> 2] = kept;
    this.#i32[(record + R.displacement) >> 2] = secondPage;
    const known = this.#straddling.get(secondPage);
    if (known === undefined) this.#straddling.set(secondPage, new Set([record]));
    else known.add(record);
  }

  #dropStraddling(secondPage: number): boolean {
    const records = this.#straddling.get(secondPage);
    if (records === undefined) return false;
    for (const record of records)
      if (this.#i32[record >> 2] === Handler.StraddleKnown) this.#i32[record >> 2] = Handler.Straddle;
    this.#straddling.delete(secondPage);
    return true;
  }

  /** A block head that is not worth compiling, or cannot be, just leads on. */
  giveUp(head: number): void {
    if (this.#i32[head >> 2] === Handler.Count) this.#i32[head >> 2] = Handler.Goto;
  }

  #count(head: number, visits: number): void {
    this.#i32[head >> 2] = Handler.Count;
    this.#i32[(head + R.table) >> 2] = 0;
    this.#i32[(head + R.displacement) >> 2] = visits;
  }

  /** After a few visits of a head, the library is asked: the guest is changing its code. */
  #lookAgain(head: number): void {
    this.#count(head, Math.min(VISITS_WHILE_CODE_CHANGES, this.compileAfter));
    this.#u16[(head + R.changes) >> 1] = 1;
  }

  /**
   * A head has been visited as often as was asked. If no code of an earlier run stands for what is there now, it is to be compiled, and waits for company,
   * because a module has a price of its own.
   */
  hot(head: number, table: number, hostPage: number): void {
    const pageOffset = this.#u16[(head + R.nextOffset) >> 1]! - this.#u8[head + R.length]!;
    this.#lookUp(table, pageOffset, hostPage);
    if (this.#i32[head >> 2] !== Handler.Count) return;
    if (this.#u16[(head + R.changes) >> 1] !== 0) {
      this.#u16[(head + R.changes) >> 1] = 0;
      this.#count(head, this.compileAfter);
      return;
    }
    this.#count(head, this.compileAfter * 4);
    const page = this.#u8.slice(hostPage, hostPage + PAGE_BYTES);
    const id = this.#nextRequest++;
    const known = this.#known(table);
    const forbidden = this.#forbidden(table);
    const { generation } = this;
    this.#waiting.push({ id, page, known, pageOffset, forbidden, place: table, head, hostPage, generation });
    this.collect();
  }

  /** A `Known` per page offset. */
  #known(table: number): Uint8Array {
    const known = new Uint8Array(PAGE_BYTES);
    for (let at = 0; at < PAGE_BYTES; at++)
      if (this.#touched[this.#pageOf(table, at)] === 0) at |= ENTRIES_IN_PAGE - 1;
      else {
        const entry = this.#i32[(table >> 2) + at]!;
        if (entry !== 0) known[at] = (entry & ENTERED) !== 0 ? Known.Entered : Known.Decoded;
      }
    const { debugOffsets } = this;
    if (debugOffsets !== null)
      for (let at = 0; at < PAGE_BYTES; at++) if (debugOffsets[at] !== 0) known[at] = Known.KeepOut;
    return known;
  }

  #submit(compiler: RegionCompiler, count: number): void {
    const wanted = this.#waiting
      .splice(0, count)
      .filter(({ head, generation }) => generation === this.generation && this.#i32[head >> 2] === Handler.Count);
    if (wanted.length === 0) return;
    for (const request of wanted) this.#submitted.set(request.id, request);
    compiler.submit(wanted);
  }

  /** Puts regions to use that have been compiled meanwhile, and asks for more. */
  collect(): void {
    if (this.#waiting.length > 0 || this.#submitted.size > 0) this.#collectFrom(this.#compiler!);
  }

  #collectFrom(compiler: RegionCompiler): void {
    this.#installAll(compiler.collect());
    const takes = this.#waiting.length === 0 ? 0 : compiler.takes(this.#waiting.length);
    if (takes <= 0) return;
    this.#submit(compiler, takes);
    this.#installAll(compiler.collect());
  }

  #installAll(compiled: readonly CompiledRegions[]): void {
    for (let i = 0; i < compiled.length; i++) this.#install(compiled[i]!);
  }

  #install({ bytes, module, regions, refused, included }: CompiledRegions): void {
    for (const id of included) this.#submitted.delete(id);
    for (const id of refused) {
      const request = this.#submitted.get(id);
      if (request !== undefined && request.generation === this.generation) this.giveUp(request.head);
      this.#submitted.delete(id);
    }
    if (regions.length === 0) return;
    const generated: GeneratedRegion[] = [];
    const from: GeneratedRegions = { bytes, module, regions: generated };
    this.generated.push(from);
    const handlers = this.#handlers.addRegions(from, regions.length);
    for (const region of regions) {
      const request = this.#submitted.get(region.id)!;
      this.#submitted.delete(region.id);
      const handler = handlers[region.index]!;
      const code = codeOf(request.page, region.spans);
      const { index, forbidden, blocks, spans } = region;
      generated.push({ index, forbidden, blocks, spans, code });
      this.regionsCompiled++;
      this.instructionsCompiled += region.instructions;
      if (this.#stillHolds(request, region)) this.#use(request.place, request.hostPage, region, handler, true);
      else this.#handlers.freeRegion(handler);
    }
  }

  /** True if the code is still what was compiled. */
  #stillHolds({ generation, page, hostPage }: OpenRequest, { spans }: CompiledRegion): boolean {
    if (generation !== this.generation || this.#holdsDebugged(spans)) return false;
    for (const [from, to] of spans)
      for (let at = from; at < to; at++) if (this.#u8[hostPage + at] !== page[at]) return false;
    return true;
  }

  #use(
    table: number,
    hostPage: number,
    { blocks, spans }: Pick<GeneratedRegion, 'blocks' | 'spans'>,
    handler: number,
    owned: boolean,
  ): void {
    const region: Region = { handler, owned, table, blocks, spans };
    blocks.forEach((pageOffset, block) => {
      const at = (table >> 2) + pageOffset;
      if (this.#entries.has(at)) return;
      this.#entries.set(at, { region, block });
      const head = this.#entryOf(table, pageOffset) & ~ENTERED;
      if (head === 0) this.#makeRegionHead(at, region, block, hostPage, pageOffset);
      else if (this.#isHead(head)) this.#enterRegion(head, region, block);
    });
    const known = this.#regions.get(hostPage);
    if (known === undefined) this.#regions.set(hostPage, [region]);
    else known.push(region);
  }

  #holdsDebugged(spans: CompiledRegion['spans']): boolean {
    const { debugOffsets } = this;
    return (
      debugOffsets !== null && spans.some(([from, to]) => debugOffsets.subarray(from, to).some((each) => each !== 0))
    );
  }

  /** A head is new: code of an earlier run may stand for what is there. */
  #lookUp(table: number, pageOffset: number, hostPage: number): void {
    const found = this.#library?.find(this.#u8, hostPage, pageOffset, this.#forbidden(table));
    if (found === undefined || this.#holdsDebugged(found.region.spans)) return;
    const region = found.region;
    this.#use(table, hostPage, region, this.#borrowed(found), false);
  }

  /** Table index of a library's function; its module is made an instance of when it is first needed. */
  #borrowed({ from, region }: FoundRegion): number {
    let handlers = this.#libraryHandlers.get(from);
    if (handlers === undefined) {
      handlers = this.#handlers.addRegions(from, from.regions.length);
      this.#libraryHandlers.set(from, handlers);
    }
    return handlers[region.index]!;
  }

  #enterRegion(head: number, region: Region, block: number): void {
    this.#i32[head >> 2] = region.handler;
    this.#i32[(head + R.displacement) >> 2] = block;
    this.#i32[(head + R.table) >> 2] = region.table;
  }

  /** The record that a page offset has in the table, and what it leads to: a block head, given up or not, and the instruction. */
  #staleChain(first: number, offset: number): void {
    for (let record = first; ; ) {
      const leadsOn = this.#i32[record >> 2] === Handler.Goto || this.#isHead(record);
      const next = this.#i32[(record + R.link) >> 2]!;
      this.#stale(record, offset);
      if (!leadsOn || next === 0) return;
      record = next;
    }
  }

  #stale(record: number, offset: number): void {
    this.#jumps.forget();
    const length = this.#u8[record + R.length]!;
    this.#binder.writeSpecial(record, Handler.Stale, offset + length);
    this.#u8[record + R.length] = length;
    const before = (record - RECORD_BYTES) >> 2;
    this.#i32[before] = this.#handlers.unfused(this.#i32[before]!);
    this.#deferredSteps.delete(record);
  }

  /** Makes a stale record lead to its successor. */
  forward(record: number, successor: number): void {
    this.#i32[record >> 2] = Handler.Goto;
    this.#u8[record + R.scaleShift] = LEADS_ON;
    this.#i32[(record + R.link) >> 2] = successor;
  }

  link(record: number, target: number): void {
    this.#i32[(record + R.link) >> 2] = target;
  }
}

/** True if one of the spans has a byte from page offset `first` to before `last`. */
function overlaps(spans: Region['spans'], first: number, last: number): boolean {
  for (let i = 0; i < spans.length; i++) if (spans[i]![1] > first && spans[i]![0] < last) return true;
  return false;
}

function codeOf(page: Uint8Array, spans: CompiledRegion['spans']): Uint8Array {
  const code = new Uint8Array(spans.reduce((sum, [from, to]) => sum + to - from, 0));
  let at = 0;
  for (const [from, to] of spans) {
    code.set(page.subarray(from, to), at);
    at += to - from;
  }
  return code;
}
