/** Predecoded code by host page: a table from page offset to record, and the records in runs of straight-line code. */
import { invariant } from '../../bits/index.ts';
import { createInstruction, DecodeResult, type Decoder, type Instruction } from '../../isa/index.ts';
import type { HostMemory } from '../../memory/index.ts';
import type { OperationTable } from '../exec/sem.ts';
import { type Binder, operationName } from './binder.ts';
import { Handler, type HandlerTable, type KeyedPart } from './handlers.ts';
import { R, RECORD_BYTES } from './record.ts';
import { RegionBuilder } from './region-builder.ts';
import { RegionDiscovery } from './region-discovery.ts';

const TABLE_BYTES = 4096 * 4;
/** A run ends after so many instructions, so that code that is never reached is not decoded. */
const RUN_INSTRUCTIONS = 64;
const LONGEST_INSTRUCTION = 15;
/** Left free when room is asked for: more than one region's discovery can decode, with a table. */
const RESERVE_BYTES = 1 << 20;
/** Hot heads that are compiled into one module. */
const HEADS_AT_ONCE = 8;

/** Operations that are often followed by a conditional branch; the two then share one handler. */
const SETS_FLAGS: ReadonlySet<string> = new Set([
  'CMP',
  'TEST',
  'SUB',
  'ADD',
  'AND',
  'OR',
  'XOR',
  'INC',
  'DEC',
  'SHR',
  'SHL',
  'BT',
]);

const MODE_INDEX: Readonly<Record<number, number>> = { 16: 0, 32: 1, 64: 2 };

/** Sets of vector states that may be forbidden: bits of `VectorState`. */
const VECTOR_STATES = 4;

/** A compiled function: the heads that enter it and the bytes it was made of. */
interface Region {
  readonly handler: number;
  readonly heads: readonly number[];
  /** [from, to) page offsets */
  readonly spans: readonly (readonly [number, number])[];
}

export class CodeCache {
  readonly #i32: Int32Array;
  readonly #u8: Uint8Array;
  readonly #base: number;
  readonly #cacheBytes: number;
  readonly #decoder: Decoder;
  readonly #binder: Binder;
  readonly #handlers: HandlerTable;
  readonly #operations: OperationTable;
  readonly #instruction: Instruction = createInstruction();
  /** record tables of a host page, by page number * 4 + mode; 0 = none. At mode 3: not 0 if the page has others too */
  readonly #tables: Int32Array;
  /** record tables of code that may not use some vector state, by page number: forbidden state * 4 + mode */
  readonly #restrictedTables = new Map<number, Int32Array>();
  /** what may not be used in a table, where that is not nothing */
  readonly #forbiddenIn = new Map<number, number>();
  /** decoded instructions of records that the host executes */
  readonly #hostInstructions = new Map<number, Instruction>();
  readonly #u16: Uint16Array;
  readonly #discovery: RegionDiscovery;
  readonly #regions = new Map<number, Region[]>();
  /** records of straddling instructions by the host page of their second half */
  readonly #straddling = new Map<number, Set<number>>();
  #waiting: { readonly head: number; readonly table: number; readonly hostPage: number }[] = [];
  #used = 0;
  /** visits after which a block is compiled; 0: never */
  compileAfter = 20_000;
  regionsCompiled = 0;
  instructionsCompiled = 0;
  /** counts how often everything was dropped */
  generation = 0;
  instructionsDecoded = 0;
  /** page offsets, not 0, whose instructions go to the host one by one, for a debugger; null: nobody debugs */
  debugOffsets: Uint8Array | null = null;

  constructor(
    memory: HostMemory,
    decoder: Decoder,
    binder: Binder,
    handlers: HandlerTable,
    operations: OperationTable,
    cacheBytes: number,
  ) {
    this.#i32 = memory.i32;
    this.#u8 = memory.u8;
    this.#decoder = decoder;
    this.#binder = binder;
    this.#handlers = handlers;
    this.#operations = operations;
    this.#u16 = new Uint16Array(memory.wasm.buffer);
    this.#discovery = new RegionDiscovery(memory, decoder, binder, operations, {
      recordAt: (table, hostPage, offset) => this.#recordAt(table, hostPage, offset),
      mayCompile: (offset) => !this.#isDebugged(offset),
      forbiddenIn: (table) => this.#forbiddenIn.get(table) ?? 0,
    });
    this.#cacheBytes = cacheBytes;
    this.#base = memory.reserveProcessorArea(cacheBytes);
    this.#tables = new Int32Array((memory.u8.length >>> 12) * 4);
  }

  /** True if instructions of this host page are decoded: writes to it must be seen. */
  isCode(hostPage: number): boolean {
    const index = (hostPage >>> 12) * 4;
    return (
      (this.#tables[index]! | this.#tables[index + 1]! | this.#tables[index + 2]! | this.#tables[index + 3]!) !== 0
    );
  }

  /** The record table of a host page for code in which the vector states `forbidden` (bits of `VectorState`) fault; 0: none yet. */
  table(hostPage: number, mode: number, forbidden: number): number {
    if (forbidden === 0) return this.#tables[(hostPage >>> 12) * 4 + MODE_INDEX[mode]!]!;
    return this.#restrictedTables.get(hostPage >>> 12)?.[forbidden * 4 + MODE_INDEX[mode]!] ?? 0;
  }

  /** Makes the table. The caller has asked for room, and takes away write rights to the page. */
  createTable(hostPage: number, mode: number, forbidden: number): number {
    const table = this.#take(TABLE_BYTES);
    const page = hostPage >>> 12;
    if (forbidden === 0) {
      this.#tables[page * 4 + MODE_INDEX[mode]!] = table;
      return table;
    }
    const restricted = this.#restrictedTables.get(page) ?? new Int32Array(4 * VECTOR_STATES);
    restricted[forbidden * 4 + MODE_INDEX[mode]!] = table;
    this.#restrictedTables.set(page, restricted);
    this.#forbiddenIn.set(table, forbidden);
    this.#tables[page * 4 + 3] = 1;
    return table;
  }

  /** True if whatever one step of the engine adds still fits; otherwise `dropAll` is due. */
  get hasRoom(): boolean {
    return this.#used + RESERVE_BYTES <= this.#cacheBytes;
  }

  /** Forgets everything; no record may be in use. */
  dropAll(): void {
    this.#i32.fill(0, this.#base >> 2, (this.#base + this.#used) >> 2);
    this.#tables.fill(0);
    this.#restrictedTables.clear();
    this.#forbiddenIn.clear();
    for (const regions of this.#regions.values())
      for (const region of regions) this.#handlers.freeRegion(region.handler);
    this.#regions.clear();
    this.#waiting = [];
    this.#straddling.clear();
    this.#hostInstructions.clear();
    this.#used = 0;
    this.generation++;
  }

  #take(bytes: number): number {
    const at = this.#base + this.#used;
    this.#used += bytes;
    invariant(this.#used <= this.#cacheBytes, 'the code cache keeps its reserve, so a step of the engine always fits');
    return at;
  }

  #recordAt(table: number, hostPage: number, offset: number): number {
    const known = this.#i32[(table >> 2) + offset]!;
    return this.plain(known !== 0 ? known : this.decodeRun(table, hostPage, offset, 64));
  }

  /** Decodes from `offset` until the straight line ends; returns the first record. */
  decodeRun(table: number, hostPage: number, offset: number, mode: number): number {
    const first = this.#base + this.#used;
    const instruction = this.#instruction;
    const forbidden = this.#forbiddenIn.get(table) ?? 0;
    let at = offset;
    let before: KeyedPart | undefined;
    for (let count = 0; ; count++) {
      if (at >= 4096 || count === RUN_INSTRUCTIONS) {
        this.#binder.writeSpecial(this.#take(RECORD_BYTES), Handler.Lookup, at);
        break;
      }
      const entry = (table >> 2) + at;
      const known = this.#i32[entry]!;
      if (known !== 0) {
        this.#binder.writeSpecial(this.#take(RECORD_BYTES), Handler.Goto, at, known);
        break;
      }
      const result = this.#decoder.decode(this.#u8, hostPage + at, hostPage + 4096, mode as 64, instruction);
      const record = this.#take(RECORD_BYTES);
      this.#i32[entry] = record;
      this.instructionsDecoded++;
      if (result === DecodeResult.Truncated || this.#isDebugged(at)) {
        this.#binder.writeSpecial(record, Handler.Straddle, at);
        break;
      }
      if (result !== DecodeResult.Ok) {
        // the host decodes again and raises what is due
        this.#binder.writeSpecial(record, Handler.Host, at);
        break;
      }
      if ((instruction.form.vectorState & forbidden) !== 0) {
        this.#binder.writeSpecial(record, Handler.Straddle, at);
        break;
      }
      const part = this.#binder.write(record, instruction, at, true);
      if (
        before !== undefined &&
        part !== undefined &&
        part.facts.operation === 'Jcc' &&
        SETS_FLAGS.has(before.facts.operation)
      ) {
        const first = (record - RECORD_BYTES) >> 2;
        this.#i32[first] = this.#handlers.fusedIndex(this.#i32[first]!, [before, part]);
      }
      before = part;
      at += instruction.length;
      if (this.#endsRun(instruction)) break;
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

  #endsRun(instruction: Instruction): boolean {
    switch (instruction.form.operation) {
      case 'JMP':
      case 'RET':
        return true;
      default:
        return this.#operations[operationName(instruction)]?.endsBlock === true;
    }
  }

  /** The decoded instruction of a record that the host executes, if it was kept. */
  hostInstruction(record: number): Instruction | undefined {
    return this.#hostInstructions.get(record);
  }

  keepHostInstruction(record: number, instruction: Instruction): void {
    this.#hostInstructions.set(record, instruction);
  }

  /** Where a branch enters: the block head before the record at a page offset, made now if there is none. */
  head(table: number, offset: number, record: number): number {
    if (this.#isHead(record) || this.compileAfter === 0) return record;
    if (!this.hasRoom) return record;
    const head = this.#take(RECORD_BYTES);
    this.#binder.writeSpecial(head, Handler.Count, this.#u16[(record + R.nextOffset) >> 1]!, record);
    this.#u8[head + R.length] = this.#u8[record + R.length]!;
    this.#i32[(head + R.displacement) >> 2] = this.compileAfter;
    this.#i32[(table >> 2) + offset] = head;
    return head;
  }

  #isHead(record: number): boolean {
    const handler = this.#i32[record >> 2]!;
    return handler === Handler.Count || this.#handlers.isRegion(handler);
  }

  /** The record that executes the instruction itself: behind block heads and forwarding. */
  plain(record: number): number {
    let at = record;
    while (this.#i32[at >> 2] === Handler.Goto || this.#isHead(at)) at = this.#i32[(at + R.link) >> 2]!;
    return at;
  }

  #tablesOf(page: number): Iterable<number> {
    const usual = this.#tables.subarray(page * 4, page * 4 + 3);
    const restricted = this.#restrictedTables.get(page);
    return restricted === undefined ? usual : [...usual, ...restricted];
  }

  /** Code bytes [host, host + length) within one page have changed: their instructions are decoded again when reached. True if there were any. */
  written(host: number, length: number): boolean {
    let changed = false;
    const page = (host & ~4095) >>> 0;
    const from = Math.max(0, (host & 4095) - LONGEST_INSTRUCTION + 1);
    const to = (host & 4095) + length;
    for (const table of this.#tablesOf(page >>> 12)) {
      if (table === 0) continue;
      for (let at = from; at < to; at++) {
        const record = this.#i32[(table >> 2) + at]!;
        if (record === 0) continue;
        const length = this.#u8[record + R.length]!;
        if (length !== 0 && at + length <= (host & 4095)) continue;
        this.#i32[(table >> 2) + at] = 0;
        this.#staleChain(record, at);
        changed = true;
      }
    }
    if ((host & 4095) < LONGEST_INSTRUCTION && this.#dropStraddling(page)) changed = true;
    const regions = this.#regions.get(page);
    if (regions === undefined) return changed;
    const [first, last] = [host & 4095, (host & 4095) + length];
    for (let i = regions.length - 1; i >= 0; i--) {
      const region = regions[i]!;
      if (region.spans.every(([from, to]) => to <= first || from >= last)) continue;
      regions.splice(i, 1);
      this.#dropRegion(region);
      changed = true;
    }
    return changed;
  }

  /** Heads of a region lead to plain records again. */
  #dropRegion(region: Region): void {
    for (const head of region.heads) if (this.#i32[head >> 2] === region.handler) this.#i32[head >> 2] = Handler.Goto;
    this.#handlers.freeRegion(region.handler);
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

  /** A head has become hot: it waits for company, because a module has a price of its own; hot again while it waits, it is compiled at once. */
  hot(head: number, table: number, hostPage: number): void {
    const waited = this.#waiting.some((each) => each.head === head);
    if (!waited) this.#waiting.push({ head, table, hostPage });
    this.#i32[(head + R.displacement) >> 2] = this.compileAfter * 4;
    if (waited || this.#waiting.length >= HEADS_AT_ONCE) this.#compileWaiting();
  }

  #compileWaiting(): void {
    const made: Region[] = [];
    const claimed = new Map<number, { handler: number; index: number }>();
    for (const { head, table, hostPage } of this.#waiting) {
      if (this.#i32[head >> 2] !== Handler.Count || claimed.has(head)) continue;
      const offset = this.#u16[(head + R.nextOffset) >> 1]! - this.#u8[head + R.length]!;
      const found = this.hasRoom ? this.#discovery.discover(table, hostPage, offset) : undefined;
      if (found === undefined) {
        this.giveUp(head);
        continue;
      }
      const handler = this.#handlers.addRegion(new RegionBuilder(found.blocks).build());
      const heads: number[] = [];
      found.blocks.forEach((block, index) => {
        const record = this.#i32[(table >> 2) + block.pageOffset]!;
        if (this.#i32[record >> 2] !== Handler.Count || claimed.has(record)) return;
        claimed.set(record, { handler, index });
        heads.push(record);
      });
      const region: Region = { handler, heads, spans: found.spans };
      made.push(region);
      const known = this.#regions.get(hostPage);
      if (known === undefined) this.#regions.set(hostPage, [region]);
      else known.push(region);
      this.instructionsCompiled += found.blocks.reduce((sum, block) => sum + block.instructions.length, 0);
    }
    this.regionsCompiled += made.length;
    this.#waiting = [];
    this.#handlers.flush();
    for (const [record, { handler, index }] of claimed) {
      this.#i32[record >> 2] = handler;
      this.#i32[(record + R.displacement) >> 2] = index;
    }
  }

  /** The record that a page offset has in the table, and what it leads to: a block head, given up or not, and the instruction. */
  #staleChain(first: number, offset: number): void {
    for (let record = first; ; ) {
      const leadsOn = this.#i32[record >> 2] === Handler.Goto || this.#isHead(record);
      const next = this.#i32[(record + R.link) >> 2]!;
      this.#stale(record, offset);
      if (!leadsOn) return;
      record = next;
    }
  }

  #stale(record: number, offset: number): void {
    const length = this.#u8[record + R.length]!;
    this.#binder.writeSpecial(record, Handler.Stale, offset + length);
    this.#u8[record + R.length] = length;
    const before = (record - RECORD_BYTES) >> 2;
    this.#i32[before] = this.#handlers.unfused(this.#i32[before]!);
    this.#hostInstructions.delete(record);
  }

  /** Makes a stale record lead to its successor. */
  forward(record: number, successor: number): void {
    this.#i32[record >> 2] = Handler.Goto;
    this.#i32[(record + R.link) >> 2] = successor;
  }

  link(record: number, target: number): void {
    this.#i32[(record + R.link) >> 2] = target;
  }
}
