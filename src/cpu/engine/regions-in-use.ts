/** Compiled functions in use, of this run and of an earlier one: which heads lead to them, and which bytes they stand for. */
import type { HostMemory } from '../../memory/index.ts';
import type { BlockHeads } from './block-heads.ts';
import type { CodeSpace } from './code-space.ts';
import type { DebuggedOffsets } from './debugged-offsets.ts';
import type { FoundRegion, GeneratedRegion, GeneratedRegions, RegionLibrary } from './generated-code.ts';
import { Handler, type HandlerTable } from './handlers.ts';
import type { JumpCaches } from './jump-caches.ts';
import { ENTERED, R } from './record.ts';
import type { RecordTables } from './record-tables.ts';
import type { Region } from './region.ts';

export class RegionsInUse {
  readonly #i32: Int32Array;
  readonly #u8: Uint8Array;
  readonly #space: CodeSpace;
  readonly #tables: RecordTables;
  readonly #heads: BlockHeads;
  readonly #handlers: HandlerTable;
  readonly #jumps: JumpCaches;
  readonly #debugged: DebuggedOffsets;
  readonly #library: RegionLibrary | undefined;
  readonly #libraryHandlers = new Map<GeneratedRegions, readonly number[]>();
  /** by host page */
  readonly #regions = new Map<number, Region[]>();
  /** where a branch enters a region: by index of the table entry */
  readonly #entries = new Map<number, { readonly region: Region; readonly block: number }>();

  constructor(
    memory: HostMemory,
    space: CodeSpace,
    tables: RecordTables,
    heads: BlockHeads,
    handlers: HandlerTable,
    jumps: JumpCaches,
    debugged: DebuggedOffsets,
    library: RegionLibrary | undefined,
  ) {
    this.#i32 = memory.i32;
    this.#u8 = memory.u8;
    this.#space = space;
    this.#tables = tables;
    this.#heads = heads;
    this.#handlers = handlers;
    this.#jumps = jumps;
    this.#debugged = debugged;
    this.#library = library;
  }

  /** True if code of this run or an earlier one stands for what is at the offset, which has no record; its head leads there. */
  enterUnseen(table: number, hostPage: number, offset: number): boolean {
    const at = (table >> 2) + offset;
    const entry = this.#entries.get(at);
    if (entry !== undefined) this.#heads.putRegion(at, entry.region, entry.block, hostPage, offset);
    else this.lookUp(table, offset, hostPage);
    return this.#i32[at] !== 0;
  }

  /** A head is new: code of this run or an earlier one may stand for what is there. */
  enterBy(head: number, table: number, hostPage: number, offset: number): void {
    const entry = this.#entries.get((table >> 2) + offset);
    if (entry !== undefined) this.#heads.enterRegion(head, entry.region, entry.block);
    else this.lookUp(table, offset, hostPage);
  }

  /** Puts a region of an earlier run to use that stands for what is at the offset, if there is one. */
  lookUp(table: number, pageOffset: number, hostPage: number): void {
    const found = this.#library?.find(this.#u8, hostPage, pageOffset, this.#tables.forbidden(table));
    if (found === undefined || this.#debugged.hasIn(found.region.spans)) return;
    this.use(table, hostPage, found.region, this.#borrowed(found), false);
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

  /** Heads at its blocks lead to the region from now on. @param owned nobody else uses the function */
  use(
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
      const head = this.#space.entryOf(table, pageOffset) & ~ENTERED;
      if (head === 0) this.#heads.putRegion(at, region, block, hostPage, pageOffset);
      else if (this.#heads.isHead(head)) this.#heads.enterRegion(head, region, block);
    });
    const known = this.#regions.get(hostPage);
    if (known === undefined) this.#regions.set(hostPage, [region]);
    else known.push(region);
  }

  /** Host pages that have some. */
  get pages(): readonly number[] {
    return [...this.#regions.keys()];
  }

  /** Drops the regions that stand for a byte from page offset `first` to before `last`; true if there were any. */
  written(hostPage: number, first: number, last: number): boolean {
    const regions = this.#regions.get(hostPage);
    if (regions === undefined) return false;
    let changed = false;
    for (let i = regions.length - 1; i >= 0; i--) {
      const region = regions[i]!;
      if (!overlaps(region.spans, first, last)) continue;
      regions.splice(i, 1);
      this.#dropRegion(region);
      changed = true;
    }
    return changed;
  }

  dropPage(hostPage: number): void {
    for (const region of this.#regions.get(hostPage) ?? []) this.#dropRegion(region);
    this.#regions.delete(hostPage);
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
      if (this.#i32[(head + R.link) >> 2] !== 0) this.#heads.lookAgain(head);
      else {
        this.#i32[head >> 2] = Handler.Stale;
        this.#i32[at] = 0;
      }
    }
    if (region.owned) this.#handlers.freeRegion(region.handler);
  }

  /** Forgets all of them, and all heads. */
  drop(): void {
    for (const regions of this.#regions.values())
      for (const region of regions) if (region.owned) this.#handlers.freeRegion(region.handler);
    this.#regions.clear();
    this.#entries.clear();
  }
}

/** True if one of the spans has a byte from page offset `first` to before `last`. */
function overlaps(spans: Region['spans'], first: number, last: number): boolean {
  for (let i = 0; i < spans.length; i++) if (spans[i]![1] > first && spans[i]![0] < last) return true;
  return false;
}
