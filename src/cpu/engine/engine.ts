/** What all processors of a platform share: generated handlers and predecoded code, over one memory. */
import { BASE_FEATURES, Decoder, type InstructionFeature, VectorState } from '../../isa/index.ts';
import type { HostMemory } from '../../memory/index.ts';
import type { OperationTable } from '../exec/sem.ts';
import { withGeneratedWalk } from '../mmu/generated-walk.ts';
import { Binder } from './binder.ts';
import { CodeCache } from './code-cache.ts';
import { COMMON_SHAPES } from './common-shapes.ts';
import type { EngineMixer } from './engine-mixer.ts';
import { type GeneratedCode, RegionLibrary } from './generated-code.ts';
import { type AccessImports, HandlerTable } from './handlers.ts';
import { JumpCaches } from './jump-caches.ts';
import { Predecoder } from './predecoder.ts';
import type { RecordTemplates } from './record-templates.ts';
import { ImmediateRegionCompiler, type RegionCompiler } from './region-compiler.ts';

/** Several times what a boot of Debian decodes. */
const CODE_CACHE_BYTES = 72 << 20;

/** A processor as shared code sees it. */
export interface EngineUser {
  readonly access: AccessImports;
  /** Takes away write rights to a host page that now holds decoded code. */
  revokeWrites(hostPage: number): void;
  forgetCodeTlb(): void;
}

export interface EngineOptions {
  /** room for predecoded code; when it is used up everything is decoded anew */
  readonly cacheBytes?: number;
  /** compiles hot code; default: at once, where it is met; null: nothing is compiled */
  readonly compiler?: RegionCompiler | null;
  /** what processors have beyond the base set; without: no VEX-encoded instructions */
  readonly features?: readonly InstructionFeature[];
  /** code of an earlier run of the same engine; with nothing to be compiled only its handlers are used */
  readonly ready?: GeneratedCode;
  /** switches between interpreter and compiled code, for tests */
  readonly mixer?: EngineMixer;
}

export class Engine {
  readonly memory: HostMemory;
  readonly operations: OperationTable;
  readonly decoder: Decoder;
  /** states that decoded instructions may use: bits of `VectorState` */
  readonly vectorStates: number;
  readonly handlers: HandlerTable;
  readonly binder: Binder;
  readonly code: CodeCache;
  readonly jumps: JumpCaches;
  readonly mixer: EngineMixer | null;
  readonly #features: string;
  readonly #templates: RecordTemplates;
  readonly users: EngineUser[] = [];
  /** the processor whose code runs */
  current: EngineUser | undefined;

  constructor(memory: HostMemory, operations: OperationTable, options: EngineOptions = {}) {
    const { cacheBytes = CODE_CACHE_BYTES, features = BASE_FEATURES } = options;
    const compiler = options.compiler === undefined ? new ImmediateRegionCompiler(operations) : options.compiler;
    const ready = options.ready?.features === String(features) ? options.ready : undefined;
    compiler?.begin(features);
    this.memory = memory;
    this.mixer = options.mixer ?? null;
    this.#features = String(features);
    this.decoder = new Decoder(features);
    this.vectorStates = VectorState.Sse | (features.includes('AVX') ? VectorState.Avx : 0);
    this.operations = operations;
    this.handlers = new HandlerTable(
      memory.wasm,
      withGeneratedWalk(memory, {
        load: (state, low, high, bytes) => this.current!.access.load(state, low, high, bytes),
        store: (state, low, high, bytes) => this.current!.access.store(state, low, high, bytes),
        modify: (state, low, high, bytes) => this.current!.access.modify(state, low, high, bytes),
        modifyEnd: () => this.current!.access.modifyEnd(),
      }),
      operations,
      COMMON_SHAPES,
      ready?.handlers,
    );
    this.binder = new Binder(memory.wasm, this.handlers, operations);
    const library = ready === undefined || compiler === null ? undefined : new RegionLibrary(ready);
    const predecoder = new Predecoder(memory, this.decoder, this.binder);
    if (ready !== undefined) predecoder.templates.restore(ready.templates());
    this.#templates = predecoder.templates;
    this.jumps = new JumpCaches(memory);
    this.code = new CodeCache(
      memory,
      predecoder,
      this.binder,
      this.handlers,
      this.jumps,
      compiler,
      library,
      cacheBytes,
    );
    if (ready !== undefined) this.code.restorePlaces(ready.places());
  }

  /** All that this run has generated, for the next one to start from. */
  get generated(): GeneratedCode {
    return {
      features: this.#features,
      handlers: this.handlers.first,
      templates: () => this.#templates.kept(this.handlers.commonEnd),
      places: () => this.code.keptPlaces(),
      regions: this.code.generated,
    };
  }
}
