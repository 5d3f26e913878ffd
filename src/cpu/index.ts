/** One logical processor and what drives it. It executes, and leaves with an exit; it knows exits, not TDX. */
import type { InstructionFeature } from '../isa/index.ts';
import type { HostMemory } from '../memory/index.ts';
import type { Clock } from '../time/index.ts';
import { Cpu } from './cpu.ts';
import { DebugStops } from './debug-stops.ts';
import { Engine } from './engine/engine.ts';
import { integerOperations } from './exec/integer.ts';
import type { OperationTable } from './exec/sem.ts';
import { systemOperations } from './exec/system.ts';
import { vectorOperations } from './exec/vector.ts';
import type { EntropySource, LogicalProcessor } from './processor.ts';

export { Controls } from './controls.ts';
export { type DebugStop, DebugStops, type Watch } from './debug-stops.ts';
export { ExitReason, ExitRecord } from './exit.ts';
export { packRflags, unpackRflags } from './flags.ts';
export { type EntropySource, GuestFault, type LogicalProcessor, type Processor } from './processor.ts';
export { Access, SecondLevel } from './second-level.ts';
export { CpuState, GPR_NAMES, S, SEGMENT_NAMES, STATE_ROWS, type StateRow } from './state.ts';
export { VirtualApic } from './virtual-apic.ts';
export { VECTOR_VE, VirtualizationExceptionInformation } from './virtualization-exception.ts';

/** Every operation that a processor can execute, by `Form.operation`. */
export const OPERATIONS: OperationTable = { ...integerOperations, ...vectorOperations, ...systemOperations };

/** The processors of one platform: they share memory, generated handlers and predecoded code. */
export class ProcessorComplex {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #processors: Cpu[] = [];
  #stops: DebugStops | null = null;

  /**
   * @param compileAfter executions of a block after which it is compiled; 0: never, the interpreter does everything
   * @param features what the processors have beyond the base set; without: no VEX-encoded instructions
   */
  constructor(memory: HostMemory, clock: Clock, compileAfter?: number, features?: readonly InstructionFeature[]) {
    this.#engine = new Engine(memory, OPERATIONS, undefined, features);
    if (compileAfter !== undefined) this.#engine.code.compileAfter = compileAfter;
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
    processor.stops = this.#stops;
    this.#processors.push(processor);
    return processor;
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
    for (const processor of this.#processors) processor.stops = stops;
  }

  /** How much has been decoded and generated, for the run's report. */
  get statistics(): { instructionsDecoded: number; modulesMade: number; timesDropped: number } {
    const { code, handlers } = this.#engine;
    return {
      instructionsDecoded: code.instructionsDecoded,
      modulesMade: handlers.modulesMade,
      timesDropped: code.generation,
    };
  }
}
