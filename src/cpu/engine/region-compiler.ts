/** From hot places of code pages to a WebAssembly module. It needs nothing but bytes, so it can run anywhere: here, or on a thread of its own. */
import { Decoder, type InstructionFeature } from '../../isa/index.ts';
import { encodeModule } from '../../wasm/index.ts';
import type { OperationTable } from '../exec/sem.ts';
import type { GeneratedModule, GeneratedRegion } from './generated-code.ts';
import { HANDLER_TYPES, ModuleName, REGION_IMPORTS } from './handler-signature.ts';
import { RegionBuilder } from './region-builder.ts';
import { RegionDiscovery } from './region-discovery.ts';
import type { RegionRequest } from './region-request.ts';

/** A region for a request, without the bytes it stands for, which the request has. */
export interface CompiledRegion extends Omit<GeneratedRegion, 'code'> {
  readonly id: number;
  readonly instructions: number;
}

export interface CompiledRegions extends GeneratedModule {
  readonly regions: readonly CompiledRegion[];
  /** requests that cannot be compiled */
  readonly refused: readonly number[];
  /** requests that lie in a region of another one */
  readonly included: readonly number[];
}

/** What compiles regions for the engine. Regions may come back at any later time: the guest cannot tell. */
export interface RegionCompiler {
  /** visits after which a block is worth compiling */
  readonly visits: number;
  /** Says which instructions there are, before anything else. */
  begin(features: readonly InstructionFeature[]): void;
  /**
   * How many of the waiting requests should be submitted now rather than wait for more.
   * @param repeated how often heads that were asked for got as hot again since the last were submitted: as good a reason as company
   */
  takes(waiting: number, repeated: number): number;
  /** Takes requests; several of one place that turn out to be one region give one region. */
  submit(requests: readonly RegionRequest[]): void;
  /** What has been compiled since the last call. */
  collect(): readonly CompiledRegions[];
}

export class RegionTranslator {
  readonly #discovery: RegionDiscovery;

  constructor(operations: OperationTable, features: readonly InstructionFeature[]) {
    this.#discovery = new RegionDiscovery(new Decoder(features), operations);
  }

  compile(requests: readonly RegionRequest[]): CompiledRegions {
    const regions: CompiledRegion[] = [];
    const refused: number[] = [];
    const included: number[] = [];
    const functions = [];
    const covered = new Set<string>();
    for (const request of requests) {
      const { id, place, pageOffset, forbidden } = request;
      if (covered.has(`${place} ${pageOffset}`)) {
        included.push(id);
        continue;
      }
      const blocks = this.#discovery.discover(request);
      if (blocks === undefined) {
        refused.push(id);
        continue;
      }
      for (const block of blocks) covered.add(`${place} ${block.pageOffset}`);
      regions.push({
        id,
        index: functions.length,
        forbidden,
        blocks: blocks.map((block) => block.pageOffset),
        spans: blocks.map(({ pageOffset, instructions }) => {
          const last = instructions.at(-1)!;
          return [pageOffset, last.pageOffset + last.length];
        }),
        instructions: blocks.reduce((sum, block) => sum + block.instructions.length, 0),
      });
      functions.push({ type: 0, code: new RegionBuilder(blocks).build() });
    }
    const name = ModuleName.Regions;
    const bytes = encodeModule({ name, types: HANDLER_TYPES, imports: REGION_IMPORTS, table: false, functions });
    return { bytes, module: new WebAssembly.Module(bytes), regions, refused, included };
  }
}

/** Found by measurement (docs/performance.md): a module costs as much as interpreting its code many times. */
const VISITS_WHEN_IMMEDIATE = 20_000;
/** Requests compiled into one module. */
const REQUESTS_AT_ONCE = 8;

/** Compiles at once, where it is asked. */
export class ImmediateRegionCompiler implements RegionCompiler {
  readonly visits: number;
  readonly #operations: OperationTable;
  #translator: RegionTranslator | undefined;
  #done: CompiledRegions[] = [];

  constructor(operations: OperationTable, visits = VISITS_WHEN_IMMEDIATE) {
    this.visits = visits;
    this.#operations = operations;
  }

  begin(features: readonly InstructionFeature[]): void {
    this.#translator = new RegionTranslator(this.#operations, features);
  }

  takes(waiting: number, repeated: number): number {
    return waiting + repeated >= REQUESTS_AT_ONCE ? waiting : 0;
  }

  submit(requests: readonly RegionRequest[]): void {
    this.#done.push(this.#translator!.compile(requests));
  }

  collect(): readonly CompiledRegions[] {
    if (this.#done.length === 0) return this.#done;
    const done = this.#done;
    this.#done = [];
    return done;
  }
}
