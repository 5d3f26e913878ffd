/** Requests for the region compiler: from a head that has been visited often enough to the compiled code that is put to use. */
import type { HostMemory } from '../../memory/index.ts';
import type { BlockHeads } from './block-heads.ts';
import { type CodeSpace, PAGE_BYTES } from './code-space.ts';
import type { DebuggedOffsets } from './debugged-offsets.ts';
import type { GeneratedRegion, GeneratedRegions } from './generated-code.ts';
import type { HandlerTable } from './handlers.ts';
import { ENTERED } from './record.ts';
import type { RecordTables } from './record-tables.ts';
import type { CompiledRegion, CompiledRegions, RegionCompiler } from './region-compiler.ts';
import { Known, type RegionRequest } from './region-request.ts';
import type { RegionsInUse } from './regions-in-use.ts';

/** A request for compilation that is not answered yet. */
interface OpenRequest extends RegionRequest {
  readonly head: number;
  readonly hostPage: number;
  readonly generation: number;
}

export class HotCode {
  readonly #u8: Uint8Array;
  readonly #space: CodeSpace;
  readonly #tables: RecordTables;
  readonly #heads: BlockHeads;
  readonly #regions: RegionsInUse;
  readonly #handlers: HandlerTable;
  readonly #debugged: DebuggedOffsets;
  readonly #compiler: RegionCompiler | null;
  #waiting: OpenRequest[] = [];
  readonly #submitted = new Map<number, OpenRequest>();
  /** heads that wait, or are being compiled: they go on counting, and are not asked for again */
  readonly #asked = new Set<number>();
  #nextRequest = 0;
  /** of those asked for, how often one was hot again since the last were submitted */
  #repeated = 0;
  /** what has been compiled in this run */
  readonly generated: GeneratedRegions[] = [];
  regionsCompiled = 0;
  instructionsCompiled = 0;

  constructor(
    memory: HostMemory,
    space: CodeSpace,
    tables: RecordTables,
    heads: BlockHeads,
    regions: RegionsInUse,
    handlers: HandlerTable,
    debugged: DebuggedOffsets,
    compiler: RegionCompiler | null,
  ) {
    this.#u8 = memory.u8;
    this.#space = space;
    this.#tables = tables;
    this.#heads = heads;
    this.#regions = regions;
    this.#handlers = handlers;
    this.#debugged = debugged;
    this.#compiler = compiler;
  }

  /** The code at a head is to be compiled; it waits for company, because a module has a price of its own. */
  request(head: number, table: number, hostPage: number, pageOffset: number): void {
    if (this.#asked.has(head)) {
      this.#repeated++;
      this.collect();
      return;
    }
    this.#asked.add(head);
    const page = this.#u8.slice(hostPage, hostPage + PAGE_BYTES);
    const id = this.#nextRequest++;
    const known = this.#known(table);
    const forbidden = this.#tables.forbidden(table);
    const { generation } = this.#space;
    this.#waiting.push({ id, page, known, pageOffset, forbidden, place: table, head, hostPage, generation });
    this.collect();
  }

  /** A `Known` per page offset. */
  #known(table: number): Uint8Array {
    const known = new Uint8Array(PAGE_BYTES);
    this.#space.forEachEntry(table, (at, entry) => {
      known[at] = (entry & ENTERED) !== 0 ? Known.Entered : Known.Decoded;
    });
    const { offsets } = this.#debugged;
    if (offsets !== null) for (let at = 0; at < PAGE_BYTES; at++) if (offsets[at] !== 0) known[at] = Known.KeepOut;
    return known;
  }

  #submit(compiler: RegionCompiler, count: number): void {
    const wanted = this.#waiting.splice(0, count).filter(({ head, generation }) => {
      const isWanted = generation === this.#space.generation && this.#heads.isCounting(head);
      if (!isWanted) this.#asked.delete(head);
      return isWanted;
    });
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
    const takes = this.#waiting.length === 0 ? 0 : compiler.takes(this.#waiting.length, this.#repeated);
    if (takes <= 0) return;
    this.#repeated = 0;
    this.#submit(compiler, takes);
    this.#installAll(compiler.collect());
  }

  #installAll(compiled: readonly CompiledRegions[]): void {
    for (let i = 0; i < compiled.length; i++) this.#install(compiled[i]!);
  }

  #install({ bytes, module, regions, refused, included }: CompiledRegions): void {
    for (const id of included) this.#answered(id);
    for (const id of refused) {
      const request = this.#answered(id);
      if (request !== undefined && request.generation === this.#space.generation) this.#heads.giveUp(request.head);
    }
    if (regions.length === 0) return;
    const generated: GeneratedRegion[] = [];
    const from: GeneratedRegions = { bytes, module, regions: generated };
    this.generated.push(from);
    const handlers = this.#handlers.addRegions(from, regions.length);
    for (const region of regions) {
      const request = this.#answered(region.id)!;
      const handler = handlers[region.index]!;
      const code = codeOf(request.page, region.spans);
      const { index, forbidden, blocks, spans } = region;
      generated.push({ index, forbidden, blocks, spans, code });
      this.regionsCompiled++;
      this.instructionsCompiled += region.instructions;
      if (this.#stillHolds(request, region)) this.#regions.use(request.place, request.hostPage, region, handler, true);
      else this.#handlers.freeRegion(handler);
    }
  }

  #answered(id: number): OpenRequest | undefined {
    const request = this.#submitted.get(id);
    if (request !== undefined) this.#asked.delete(request.head);
    this.#submitted.delete(id);
    return request;
  }

  /** True if the code is still what was compiled. */
  #stillHolds({ generation, page, hostPage }: OpenRequest, { spans }: CompiledRegion): boolean {
    if (generation !== this.#space.generation || this.#debugged.hasIn(spans)) return false;
    for (const [from, to] of spans)
      for (let at = from; at < to; at++) if (this.#u8[hostPage + at] !== page[at]) return false;
    return true;
  }

  /** Forgets what waits; heads of what is under way are gone. */
  drop(): void {
    this.#waiting = [];
    this.#asked.clear();
  }
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
