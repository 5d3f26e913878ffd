/** Block heads: what jumps from outside a run of code enter by. A head counts its visits, enters a region, or just leads on. */
import type { HostMemory } from '../../memory/index.ts';
import type { Binder } from './binder.ts';
import type { CodeSpace } from './code-space.ts';
import type { DebuggedOffsets } from './debugged-offsets.ts';
import { Handler, type HandlerTable } from './handlers.ts';
import { ENTERED, LEADS_ON, R } from './record.ts';
import type { Region } from './region.ts';

const RET_OPCODE = 0xc3;
/** Visits of a head whose code has changed, before it is looked up again: a change is often one of several. */
const VISITS_WHILE_CODE_CHANGES = 32;

export class BlockHeads {
  readonly #i32: Int32Array;
  readonly #u16: Uint16Array;
  readonly #u8: Uint8Array;
  readonly #space: CodeSpace;
  readonly #binder: Binder;
  readonly #handlers: HandlerTable;
  readonly #debugged: DebuggedOffsets;
  /** visits after which a block is compiled; 0: never */
  compileAfter: number;

  constructor(
    memory: HostMemory,
    space: CodeSpace,
    binder: Binder,
    handlers: HandlerTable,
    debugged: DebuggedOffsets,
    compileAfter: number,
  ) {
    this.#i32 = memory.i32;
    this.#u16 = new Uint16Array(memory.wasm.buffer);
    this.#u8 = memory.u8;
    this.#space = space;
    this.#binder = binder;
    this.#handlers = handlers;
    this.#debugged = debugged;
    this.compileAfter = compileAfter;
  }

  isHead(record: number): boolean {
    const handler = this.#i32[record >> 2]!;
    return handler === Handler.Count || this.#handlers.isRegion(handler);
  }

  /** The record that executes the instruction itself: behind block heads and forwarding. 0: it is not decoded. */
  plain(record: number): number {
    let at = record;
    while (at !== 0 && (this.#i32[at >> 2] === Handler.Goto || this.isHead(at))) at = this.#i32[(at + R.link) >> 2]!;
    return at;
  }

  /** Puts a head that counts before a record, into the table's entry for it. */
  put(table: number, hostPage: number, offset: number, record: number): number {
    const head = this.#space.takeHead();
    this.#binder.writeSpecial(head, Handler.Count, this.#u16[(record + R.nextOffset) >> 1]!, record);
    this.#u8[head + R.length] = this.#u8[record + R.length]!;
    this.#markReturn(head, hostPage, offset);
    this.count(head, this.compileAfter);
    this.#i32[(table >> 2) + offset] = head | ENTERED;
    return head;
  }

  /** Puts a head of a region for code that the interpreter has never seen into a table's entry. @param at index of the entry */
  putRegion(at: number, region: Region, block: number, hostPage: number, offset: number): void {
    const head = this.#space.takeHead();
    this.#binder.writeSpecial(head, Handler.Stale, offset);
    this.#u8[head + R.scaleShift] = LEADS_ON;
    this.#markReturn(head, hostPage, offset);
    this.enterRegion(head, region, block);
    this.#i32[at] = head | ENTERED;
  }

  /** Generated code may do a plain RET itself when it gets to its head. */
  #markReturn(head: number, hostPage: number, offset: number): void {
    if (this.#u8[hostPage + offset] === RET_OPCODE && !this.#debugged.has(offset)) this.#u8[head + R.returns] = 1;
  }

  /** The first instruction is the host's to execute, so there is nothing to compile. */
  leadsToHost(head: number): boolean {
    const handler = this.#i32[this.plain(head) >> 2]!;
    return handler === Handler.Host || handler === Handler.Straddle || handler === Handler.StraddleKnown;
  }

  enterRegion(head: number, region: Region, block: number): void {
    this.#i32[head >> 2] = region.handler;
    this.#i32[(head + R.displacement) >> 2] = block;
    this.#i32[(head + R.table) >> 2] = region.table;
  }

  /** A block head that is not worth compiling, or cannot be, just leads on. */
  giveUp(head: number): void {
    if (this.isCounting(head)) this.#i32[head >> 2] = Handler.Goto;
  }

  isCounting(head: number): boolean {
    return this.#i32[head >> 2] === Handler.Count;
  }

  count(head: number, visits: number): void {
    this.#i32[head >> 2] = Handler.Count;
    this.#i32[(head + R.table) >> 2] = 0;
    this.#i32[(head + R.displacement) >> 2] = visits;
  }

  /** After a few visits of a head, the library is asked: the guest is changing its code. */
  lookAgain(head: number): void {
    this.count(head, Math.min(VISITS_WHILE_CODE_CHANGES, this.compileAfter));
    this.#u16[(head + R.changes) >> 1] = 1;
  }

  /** True once after `lookAgain`: from now on the head counts as a new one. */
  hasLookedAgain(head: number): boolean {
    if (this.#u16[(head + R.changes) >> 1] === 0) return false;
    this.#u16[(head + R.changes) >> 1] = 0;
    this.count(head, this.compileAfter);
    return true;
  }
}
