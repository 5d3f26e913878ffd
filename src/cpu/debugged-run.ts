/** What a debugger makes of one processor's run: before which step it stops, which instructions go alone, and who is shown them. */
import type { DebugStop, DebugStops, StepWatcher } from './debug-stops.ts';
import { type GuestAccess, NO_FAULT } from './guest-access.ts';
import type { InstructionFetch } from './instruction-fetch.ts';
import { GuestFault, type LogicalProcessor } from './processor.ts';
import { S } from './state.ts';

export class DebuggedRun {
  /** the instruction that runs goes alone because a debugger looks at each */
  alone = false;
  /** the next instruction goes alone: it has a place that debuggers care for */
  nextAlone = false;
  /** who is shown the instruction that runs */
  watcher: StepWatcher | undefined;
  readonly #cpu: LogicalProcessor;
  readonly #guest: GuestAccess;
  readonly #fetch: InstructionFetch;
  readonly #stops: DebugStops;
  /** own position at which the run stops */
  #stopPosition = Number.POSITIVE_INFINITY;

  constructor(cpu: LogicalProcessor, guest: GuestAccess, fetch: InstructionFetch, stops: DebugStops) {
    this.#cpu = cpu;
    this.#guest = guest;
    this.#fetch = fetch;
    this.#stops = stops;
  }

  begin(): void {
    this.#stopPosition = this.#stops.stopPositionOf(this.#cpu);
  }

  /** A stop that is due whatever comes next. @param done steps of this run */
  stopBeforeStep(done: number): DebugStop | undefined {
    const met = this.#guest.watchMet;
    if (met !== undefined) return met;
    return this.#cpu.position + done >= this.#stopPosition
      ? { kind: 'position', processor: this.#cpu.index }
      : undefined;
  }

  /** A stop because of the instruction at RIP. @param done steps of this run */
  stopAtBreakpoint(done: number): DebugStop | undefined {
    const cpu = this.#cpu;
    const stops = this.#stops;
    this.#fetch.locate();
    if (!stops.hasBreakpoint(cpu.instructionStartLow, cpu.instructionStartHigh)) return undefined;
    this.nextAlone = true;
    if (stops.watcher !== undefined) {
      stops.watcher.reached(cpu, cpu.instructionStartLow, cpu.instructionStartHigh);
      return undefined;
    }
    return stops.position + done === stops.passPosition ? undefined : { kind: 'breakpoint', processor: cpu.index };
  }

  /**
   * Decides how the next instruction goes; returns how many may run until the debugger wants to be asked again.
   * @param alone it goes alone in any case @param done steps of this run
   */
  plan(alone: boolean, done: number): number {
    const { watcher, marginSteps } = this.#stops;
    const apart = this.#stopPosition - this.#cpu.position - done - marginSteps;
    this.watcher = watcher?.wants(this.#cpu) === true ? watcher : undefined;
    this.alone = !alone && (this.nextAlone || apart <= 0 || this.watcher !== undefined);
    this.nextAlone = false;
    return apart;
  }

  /** Shows the instruction at RIP, which can be fetched. */
  show(): void {
    if (this.watcher === undefined) return;
    this.#fetch.locate();
    try {
      this.watcher.before(this.#cpu, this.#fetch.decode());
    } catch (thrown) {
      // what is no instruction faults in its own time
      if (!(thrown instanceof GuestFault)) throw thrown;
      this.#cpu.state.setLow(S.faultVector, NO_FAULT);
    }
  }

  /** Has an instruction at this address's offset in a page a breakpoint, or had it one? */
  caresFor(low: number): boolean {
    return this.#stops.offsets[low & 4095] !== 0;
  }

  tell(stop: DebugStop): void {
    this.#guest.watchMet = undefined;
    this.#stops.onStop(stop);
  }
}
