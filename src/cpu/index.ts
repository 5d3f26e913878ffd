/** One logical processor and what drives it. It executes, and leaves with an exit; it knows exits, not TDX. */
import type { StateVisitor } from '../bits/index.ts';
import { type HostMemory, PROCESSOR_AREA_BYTES } from '../memory/index.ts';
import type { Clock } from '../time/index.ts';
import { Cpu } from './cpu.ts';
import { DebugStops } from './debug-stops.ts';
import { Engine, type EngineOptions } from './engine/engine.ts';
import type { GeneratedCode } from './engine/generated-code.ts';
import { CODE_TLB_BYTES, DATA_INDEX_MIX_SHIFT, DATA_TLB_BYTES } from './engine/tlb.ts';
import { integerOperations } from './exec/integer.ts';
import { joinTables } from './exec/join-tables.ts';
import { systemOperations } from './exec/system.ts';
import { vectorOperations } from './exec/vector.ts';
import type { EntropySource, LogicalProcessor } from './processor.ts';
import { Sampler } from './sampler.ts';
import { STATE_BYTES, STATE_ROWS } from './state.ts';

export { Controls } from './controls.ts';
export { type DebugStop, DebugStops, type StepWatcher, type Watch } from './debug-stops.ts';
export type { EngineOptions } from './engine/engine.ts';
export type { EngineMixer, MixableCode } from './engine/engine-mixer.ts';
export type { GeneratedCode, GeneratedModule, GeneratedRegion, GeneratedRegions } from './engine/generated-code.ts';
export {
  type CompiledRegions,
  ImmediateRegionCompiler,
  type RegionCompiler,
  RegionTranslator,
} from './engine/region-compiler.ts';
export type { RegionRequest } from './engine/region-request.ts';
export { ExitReason, ExitRecord } from './exit.ts';
export { packRflags, unpackRflags } from './flags.ts';
export { FlowSem } from './flow/flow-sem.ts';
export { type FlowSink, type Mark, type Marks, NO_MARKS, type Use, union } from './flow/marks.ts';
export { type EntropySource, GuestFault, type LogicalProcessor, type Processor } from './processor.ts';
export { Access, SecondLevel } from './second-level.ts';
export { CpuState, GPR_NAMES, S, SEGMENT_NAMES, STATE_BYTES, STATE_ROWS, type StateRow } from './state.ts';
export { VirtualApic } from './virtual-apic.ts';
export { VECTOR_VE, VirtualizationExceptionInformation } from './virtualization-exception.ts';

/** Every operation that a processor can execute, by `Form.operation`. */
export const OPERATIONS = joinTables(integerOperations, vectorOperations, systemOperations);

/** Tells builds apart whose processors keep their state differently, for snapshots. */
export const PROCESSOR_LAYOUT = `${STATE_BYTES} ${DATA_TLB_BYTES}^${DATA_INDEX_MIX_SHIFT} ${CODE_TLB_BYTES} ${PROCESSOR_AREA_BYTES} ${STATE_ROWS.map(
  ({ name, offset, width }) => `${name}@${offset}+${width}`,
).join(' ')}`;

export interface EngineStatistics {
  readonly instructionsDecoded: number;
  /** in this run; what an earlier run has left is not counted */
  readonly regionsCompiled: number;
  readonly instructionsCompiled: number;
  /** modules of the interpreter */
  readonly modulesMade: number;
  /** how often everything decoded was dropped */
  readonly timesDropped: number;
}

/** The processors of one platform: they share memory, generated handlers and predecoded code. */
export class ProcessorComplex {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #processors: Cpu[] = [];
  #stops: DebugStops | null = null;
  #newSampler: () => Sampler | null = () => null;

  constructor(memory: HostMemory, clock: Clock, options: EngineOptions = {}) {
    this.#engine = new Engine(memory, OPERATIONS, options);
    this.#clock = clock;
  }

  /** A processor with everything at zero; its owner writes the state it shall start from. */
  create(entropy: EntropySource): LogicalProcessor {
    const processor = new Cpu({
      engine: this.#engine,
      index: this.#processors.length,
      clock: this.#clock,
      entropy,
    });
    processor.debugWith(this.#stops);
    processor.sampler = this.#newSampler();
    this.#processors.push(processor);
    return processor;
  }

  /** Every processor, and which pages hold decoded code. They exist already when restoring. */
  visitState(state: StateVisitor): void {
    state.part('code', this.#engine.code);
    state.list('processors', this.#processors.length, (item, index) => this.#processors[index]!.visitState(item));
  }

  /** Lets a debugger stop these processors. One object for all of them, and only one at a time. */
  debug(): DebugStops {
    const { code } = this.#engine;
    const stops = new DebugStops(
      this.#processors,
      (offset) => code.debugOffsetAdded(offset),
      (watch) => {
        for (const processor of this.#processors) processor.forgetWatched(watch);
      },
    );
    this.#debugWith(stops);
    return stops;
  }

  /** Nobody debugs any more. */
  stopDebugging(): void {
    this.#debugWith(null);
  }

  #debugWith(stops: DebugStops | null): void {
    this.#stops = stops;
    this.#engine.code.debugOffsets = stops?.offsets ?? null;
    for (const processor of this.#processors) processor.debugWith(stops);
  }

  /**
   * Shows each processor, and those that are still made, after so many of its own instructions, again and again: the next time its budget
   * may end, so the same run is seen at the same instructions in either engine, and is not changed by it.
   */
  sampleEvery(instructions: number, look: (processor: LogicalProcessor) => void): void {
    this.#newSampler = () => new Sampler(instructions, look);
    for (const processor of this.#processors) processor.sampler = this.#newSampler();
  }

  /** All that has been generated here, for a later run to start from. */
  get generatedCode(): GeneratedCode {
    return this.#engine.generated;
  }

  /** How much has been decoded and generated, for the run's report. */
  get statistics(): EngineStatistics {
    const { code, handlers } = this.#engine;
    return {
      instructionsDecoded: code.instructionsDecoded,
      regionsCompiled: code.regionsCompiled,
      instructionsCompiled: code.instructionsCompiled,
      modulesMade: handlers.modulesMade,
      timesDropped: code.generation,
    };
  }
}
