/** Predecoded code by host page: finds the record at a page offset, decodes what was not met yet, and forgets what the guest has changed. */
import type { StateVisitor } from '../../bits/index.ts';
import type { Instruction } from '../../isa/index.ts';
import type { HostMemory } from '../../memory/index.ts';
import { type Binder, isNear, Trait, VECTOR_STATE_SHIFT } from './binder.ts';
import { BlockHeads } from './block-heads.ts';
import { CodeSpace, ENTRIES_IN_PAGE, PAGE_BYTES } from './code-space.ts';
import { DebuggedOffsets } from './debugged-offsets.ts';
import type { MixableCode } from './engine-mixer.ts';
import type { GeneratedRegions, RegionLibrary } from './generated-code.ts';
import { Handler, type HandlerTable } from './handlers.ts';
import { type HostStep, HostSteps } from './host-steps.ts';
import { HotCode } from './hot-code.ts';
import type { JumpCaches } from './jump-caches.ts';
import { KnownPlaces } from './known-places.ts';
import type { Predecoder } from './predecoder.ts';
import { ENTERED, LEADS_ON, R, RECORD_BYTES } from './record.ts';
import { MODES, RecordTables } from './record-tables.ts';
import type { RegionCompiler } from './region-compiler.ts';
import { RegionsInUse } from './regions-in-use.ts';
import { StraddlingRecords } from './straddling-records.ts';

/** A run ends after so many instructions, so that code that is never reached is not decoded. */
const RUN_INSTRUCTIONS = 64;
const LONGEST_INSTRUCTION = 15;
/** Writes beside the code of a page after which it counts as data, the first time. */
const FIRST_PATIENCE = 4;

export class CodeCache implements MixableCode {
  readonly #i32: Int32Array;
  readonly #u8: Uint8Array;
  readonly #u16: Uint16Array;
  readonly #predecoder: Predecoder;
  readonly #binder: Binder;
  readonly #handlers: HandlerTable;
  readonly #jumps: JumpCaches;
  readonly #debugged = new DebuggedOffsets();
  readonly #space: CodeSpace;
  readonly #tables: RecordTables;
  readonly #hostSteps: HostSteps;
  readonly #straddling: StraddlingRecords;
  readonly #heads: BlockHeads;
  readonly #regions: RegionsInUse;
  readonly #hot: HotCode;
  readonly #places: KnownPlaces;
  /** what the page of a table is known by */
  readonly #keys = new Map<number, number>();
  /** branches within a page that were decoded in 64-bit code, each with the page offset of its target */
  readonly #branches: number[] = [];
  /** writes to pages of code that met no code, since the page became code */
  readonly #besideCode = new Map<number, { writes: number; patience: number }>();
  instructionsDecoded = 0;

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
    this.#u16 = new Uint16Array(memory.wasm.buffer);
    this.#predecoder = predecoder;
    this.#binder = binder;
    this.#handlers = handlers;
    this.#jumps = jumps;
    const debugged = this.#debugged;
    const space = new CodeSpace(memory, cacheBytes);
    const tables = new RecordTables(memory, space);
    const heads = new BlockHeads(memory, space, binder, handlers, debugged, compiler?.visits ?? 0);
    const regions = new RegionsInUse(memory, space, tables, heads, handlers, jumps, debugged, library);
    this.#space = space;
    this.#tables = tables;
    this.#hostSteps = new HostSteps(memory);
    this.#straddling = new StraddlingRecords(memory, space, binder, handlers);
    this.#heads = heads;
    this.#regions = regions;
    this.#places = new KnownPlaces(memory);
    this.#hot = new HotCode(memory, space, tables, heads, regions, handlers, debugged, compiler);
  }

  /** True if instructions of this host page are decoded: writes to it must be seen. */
  isCode(hostPage: number): boolean {
    return this.#tables.isCode(hostPage);
  }

  /** The record table of a host page for code in which the vector states `forbidden` (bits of `VectorState`) fault; 0: none yet. */
  table(hostPage: number, mode: number, forbidden: number): number {
    return this.#tables.table(hostPage, mode, forbidden);
  }

  /** Makes the table, with what an earlier run knows of such a page. The caller has asked for room, and takes away write rights to the page. */
  createTable(hostPage: number, mode: number, forbidden: number): number {
    const table = this.#tables.create(hostPage, mode, forbidden);
    if (mode === 64) this.#enterKnownPlaces(table, hostPage, forbidden);
    return table;
  }

  #enterKnownPlaces(table: number, hostPage: number, forbidden: number): void {
    const key = this.#places.keyOf(hostPage, forbidden);
    this.#keys.set(table, key);
    const offsets = this.#places.of(key);
    for (let i = 0; i < offsets.length && this.hasRoom; i++) {
      const entry = this.#space.entryOf(table, offsets[i]!);
      if ((entry & ENTERED) === 0) this.#enterAnew(table, hostPage, offsets[i]!, entry, 64);
    }
    this.#linkBranches(table);
  }

  /** Takes what `keptPlaces` of an earlier run has given. */
  restorePlaces(kept: Uint8Array): void {
    this.#places.restore(kept);
  }

  /** Where code was entered, for the next run. */
  keptPlaces(): Uint8Array {
    return this.#places.kept();
  }

  visitState(state: StateVisitor): void {
    this.#tables.visitState(state, () => this.dropAll());
  }

  /** True if whatever one step of the engine adds still fits; otherwise `dropAll` is due. */
  get hasRoom(): boolean {
    return this.#space.hasRoom;
  }

  /** Counts how often everything was dropped. */
  get generation(): number {
    return this.#space.generation;
  }

  /** Forgets everything; no record may be in use. */
  dropAll(): void {
    this.#keys.clear();
    this.#space.drop();
    this.#tables.drop();
    this.#regions.drop();
    this.#hot.drop();
    this.#straddling.drop();
    this.#hostSteps.drop();
    this.#jumps.forget();
  }

  /**
   * Where a jump to a page offset goes on: at the region, or the block head, or the record that is there, decoded now if it was not.
   * From now on generated code finds the way by itself.
   */
  find(table: number, hostPage: number, offset: number, mode: number): number {
    const entry = this.#space.entryOf(table, offset);
    const record = entry & ~ENTERED;
    if (record !== entry) return record;
    const key = this.#keys.get(table);
    if (key !== undefined) this.#places.note(key, offset);
    const entered = this.#enterAnew(table, hostPage, offset, record, mode);
    this.#linkBranches(table);
    return entered;
  }

  /** A jump gets to a page offset for the first time. @param record what is decoded there; 0: nothing */
  #enterAnew(table: number, hostPage: number, offset: number, record: number, mode: number): number {
    if (record !== 0) return this.#enter(table, hostPage, offset, record, mode, false);
    if (mode === 64 && this.#regions.enterUnseen(table, hostPage, offset)) return this.record(table, offset);
    return this.#enter(table, hostPage, offset, this.#decodeRun(table, hostPage, offset, mode), mode, true);
  }

  /** The record that executes the instruction itself at a page offset, behind block heads and regions. */
  findPlain(table: number, hostPage: number, offset: number, mode: number): number {
    const first = this.find(table, hostPage, offset, mode);
    const plain = this.#heads.plain(first);
    if (plain !== 0) return plain;
    const decoded = this.#decodeRun(table, hostPage, offset, mode, true);
    this.#linkBranches(table);
    this.#i32[(first + R.link) >> 2] = decoded;
    return decoded;
  }

  /**
   * Decodes from `offset` until the straight line ends; returns the first record.
   * @param behindHead the place has a block head already, which stays
   */
  #decodeRun(table: number, hostPage: number, offset: number, mode: number, behindHead = false): number {
    const space = this.#space;
    const first = space.nextRecord;
    const forbidden = this.#tables.forbidden(table);
    let at = offset;
    let before = 0;
    for (let count = 0; ; count++) {
      if (at >= PAGE_BYTES || count === RUN_INSTRUCTIONS) {
        this.#binder.writeSpecial(space.takeRecord(), Handler.Lookup, at);
        break;
      }
      const entry = (table >> 2) + at;
      const known = space.entryOf(table, at) & ~ENTERED;
      const isHeadOfRun = behindHead && count === 0;
      if (known !== 0 && !isHeadOfRun) {
        this.#binder.writeSpecial(space.takeRecord(), Handler.Goto, at, known);
        break;
      }
      const record = space.takeRecord();
      if (!isHeadOfRun) this.#i32[entry] = record;
      this.instructionsDecoded++;
      if (this.#debugged.has(at)) {
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
      if ((traits & Trait.Relative) !== 0 && mode === 64) {
        const target = at + this.#i32[(record + R.immediate) >> 2]!;
        if (isNear(target)) this.#branches.push(record, target);
      }
      if ((traits & Trait.EndsRun) !== 0) break;
    }
    // a handler may name the record behind it even when it never goes there
    this.#binder.writeSpecial(space.takeRecord(), Handler.Lookup, at);
    this.#handlers.flush();
    return first;
  }

  /** Links the branches that were decoded, where jumps have entered their targets before: the others ask when they are first taken. */
  #linkBranches(table: number): void {
    const branches = this.#branches;
    for (let i = 0; i < branches.length; i += 2) {
      const target = branches[i + 1]!;
      if (!this.#space.mayHaveEntries(table, target)) continue;
      const entry = this.#i32[(table >> 2) + target]!;
      if ((entry & ENTERED) !== 0) this.link(branches[i]!, entry & ~ENTERED);
    }
    branches.length = 0;
  }

  /** Page offsets, not 0, whose instructions go to the host one by one, for a debugger; null: nobody debugs. */
  set debugOffsets(offsets: Uint8Array | null) {
    this.#debugged.offsets = offsets;
  }

  /** A debugger cares for one more page offset: what is decoded there, in any page, is forgotten. */
  debugOffsetAdded(offset: number): void {
    for (const page of this.#tables.codePages()) this.written(page + offset, 1);
  }

  /** What the host executes at a record, if it was kept. */
  hostStep(record: number): HostStep | undefined {
    return this.#hostSteps.at(record);
  }

  keepHostStep(record: number, step: HostStep): void {
    this.#hostSteps.keep(record, step);
  }

  /** The record at a page offset; 0: none yet. */
  record(table: number, offset: number): number {
    return this.#i32[(table >> 2) + offset]! & ~ENTERED;
  }

  /**
   * A jump enters where `record` is, or a head of it. Code that can be compiled gets a block head if it has none.
   * @param lookedUp no region stands for it
   */
  #enter(table: number, hostPage: number, offset: number, record: number, mode: number, lookedUp: boolean): number {
    const first = mode === 64 ? this.#head(table, hostPage, offset, record, lookedUp) : record;
    this.#i32[(table >> 2) + offset] = first | ENTERED;
    return first;
  }

  #head(table: number, hostPage: number, offset: number, record: number, lookedUp: boolean): number {
    if (this.#heads.isHead(record) || this.#heads.compileAfter === 0 || !this.hasRoom) return record;
    const head = this.#heads.put(table, hostPage, offset, record);
    if (!lookedUp) this.#regions.enterBy(head, table, hostPage, offset);
    return head;
  }

  /** The record that executes the instruction itself: behind block heads and forwarding. 0: it is not decoded. */
  plain(record: number): number {
    return this.#heads.plain(record);
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
    this.forgetPage(hostPage);
    this.#tables.becomesData(hostPage);
    return true;
  }

  /** Code bytes [host, host + length) within one page have changed: their instructions are decoded again when reached. True if there were any. */
  written(host: number, length: number): boolean {
    const page = (host & ~4095) >>> 0;
    const first = host & 4095;
    const last = first + length;
    let changed = false;
    for (let mode = 0; mode < MODES; mode++)
      if (this.#forget(this.#tables.unrestricted(page, mode), first, last)) changed = true;
    for (const table of this.#tables.restricted(page)) if (this.#forget(table, first, last)) changed = true;
    if (first < LONGEST_INSTRUCTION && this.#straddling.forget(page)) changed = true;
    return this.#regions.written(page, first, last) || changed;
  }

  /** Forgets the records of a table that hold one of the bytes from page offset `first` to before `last`; true if there were any. */
  #forget(table: number, first: number, last: number): boolean {
    if (table === 0) return false;
    const i32 = this.#i32;
    let changed = false;
    for (let at = Math.max(0, first - LONGEST_INSTRUCTION + 1); at < last; ) {
      // entries stand in pages of memory; most of a table's have none
      const end = Math.min(last, (at | (ENTRIES_IN_PAGE - 1)) + 1);
      if (!this.#space.mayHaveEntries(table, at)) at = end;
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
    return this.#regions.pages;
  }

  dropRegions(hostPage: number): void {
    this.#regions.dropPage(hostPage);
  }

  forgetPage(hostPage: number): void {
    // what it will hold is not what its tables are known by
    this.#keys.delete(this.#tables.table(hostPage, 64, 0));
    for (const table of this.#tables.restricted(hostPage)) this.#keys.delete(table);
    this.written(hostPage, PAGE_BYTES);
  }

  /** True if the record's instruction is kept, with its second half in `secondPage`. */
  keepsStraddling(record: number, secondPage: number): boolean {
    return this.#straddling.keeps(record, secondPage);
  }

  /** Keeps the instruction of a straddling record for as long as its second half lies in `secondPage`. */
  keepStraddling(record: number, instruction: Instruction, offset: number, secondPage: number): void {
    this.#straddling.keep(record, instruction, offset, secondPage);
  }

  /** A block head that is not worth compiling, or cannot be, just leads on. */
  giveUp(head: number): void {
    this.#heads.giveUp(head);
  }

  /** Visits after which a block is compiled; 0: never. */
  get compileAfter(): number {
    return this.#heads.compileAfter;
  }

  set compileAfter(visits: number) {
    this.#heads.compileAfter = visits;
  }

  /** A head has been visited as often as was asked. If no code of an earlier run stands for what is there now, it is to be compiled. */
  hot(head: number, table: number, hostPage: number): void {
    const pageOffset = this.#u16[(head + R.nextOffset) >> 1]! - this.#u8[head + R.length]!;
    this.#regions.lookUp(table, pageOffset, hostPage);
    if (!this.#heads.isCounting(head) || this.#heads.hasLookedAgain(head)) return;
    if (this.#heads.leadsToHost(head)) {
      this.#heads.giveUp(head);
      return;
    }
    this.#heads.count(head, this.compileAfter * 4);
    this.#hot.request(head, table, hostPage, pageOffset);
  }

  /** Puts regions to use that have been compiled meanwhile, and asks for more. */
  collect(): void {
    this.#hot.collect();
  }

  /** What has been compiled in this run. */
  get generated(): readonly GeneratedRegions[] {
    return this.#hot.generated;
  }

  get regionsCompiled(): number {
    return this.#hot.regionsCompiled;
  }

  get instructionsCompiled(): number {
    return this.#hot.instructionsCompiled;
  }

  /** The record that a page offset has in the table, and what it leads to: a block head, given up or not, and the instruction. */
  #staleChain(first: number, offset: number): void {
    for (let record = first; ; ) {
      const leadsOn = this.#i32[record >> 2] === Handler.Goto || this.#heads.isHead(record);
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
    this.#hostSteps.forget(record);
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
