/** When a TD runs under a debugger and when it waits. The host's loop asks before each slice and tells how the slice ended. */
import { invariant } from '../../bits/index.ts';
import type { DebugStop, DebugStops, LogicalProcessor } from '../../cpu/index.ts';
import type { Td, TdEnd, TdxPlatform } from '../../machine/index.ts';
import { History, type Kept } from './history.ts';

/** Why the TD stands still. */
export type StopReport =
  | { readonly kind: 'breakpoint'; readonly vcpu: number }
  | { readonly kind: 'watch'; readonly vcpu: number; readonly linear: bigint; readonly access: number }
  | { readonly kind: 'step'; readonly vcpu: number }
  | { readonly kind: 'interrupt'; readonly vcpu: number }
  /** going back ends here: nothing earlier is known */
  | { readonly kind: 'beginning'; readonly vcpu: number }
  /** the TD cannot go on; what it was can still be seen */
  | { readonly kind: 'died'; readonly vcpu: number; readonly end: TdEnd }
  /** the TD has ended and nothing is left to be debugged */
  | { readonly kind: 'gone'; readonly end: TdEnd };

/** Ends that are no failure of the guest. */
const ENDED_WELL: ReadonlySet<TdEnd['cause']> = new Set(['power-off', 'reset', 'stopped', 'idle']);

export interface RunControlOptions {
  /** the TD waits for a debugger before its first instruction */
  readonly paused: boolean;
  /** notes what changes with the run and is no part of the platform; returns how that is taken back */
  readonly keep?: () => () => void;
}

export class RunControl {
  readonly stops: DebugStops;
  readonly processors: readonly LogicalProcessor[];
  /** told of each stop, while somebody debugs */
  onStop: (report: StopReport) => void = () => {};

  readonly #td: Td;
  readonly #platform: TdxPlatform;
  readonly #history: History;
  #running: boolean;
  #attached = false;
  #met: DebugStop | undefined;
  #interrupted = false;
  #wake: (() => void) | undefined;
  #vcpu = 0;
  /** inputs that the present has had */
  #inputsGiven = 0;
  /** where the run has been before it was taken back */
  #furthest = -1;

  constructor(platform: TdxPlatform, td: Td, { paused, keep = () => () => {} }: RunControlOptions) {
    this.#platform = platform;
    this.#td = td;
    this.#history = new History(platform, keep);
    this.processors = platform.module.processorsOf(td.host.tdrHpa);
    this.#running = !paused;
    this.stops = platform.processors.debug();
    this.stops.onStop = (stop) => {
      this.#met = stop;
      td.stop();
    };
    if (paused) this.#consider();
  }

  /** The vCPU that stopped last. */
  get vcpu(): number {
    return this.#vcpu;
  }

  get isRunning(): boolean {
    return this.#running;
  }

  /** True while the run goes through what it has been through already: who has heard it once need not hear it again. */
  get isReliving(): boolean {
    return this.stops.position <= this.#furthest;
  }

  /** Somebody debugs from now on; the TD stops at the end of its slice. */
  attach(): void {
    this.#attached = true;
    this.interrupt();
  }

  /** Resolves when the TD may run: at once, or when the debugger lets it go. */
  async mayRun(): Promise<void> {
    while (!this.#running) await new Promise<void>((wake) => (this.#wake = wake));
  }

  /** Told how a slice of the run ended; true if that was the debugger's doing, and the run is to go on. */
  ran(end: TdEnd): boolean {
    const met = this.#takeMet();
    if (met !== undefined) {
      const isForInput = met.kind === 'position' && this.#giveInputs() && !this.#hasStepped();
      if (!isForInput) this.#stopped(this.#report(met));
      return true;
    }
    if (end.cause === 'instruction-limit' && this.#attached) this.#consider();
    if (!this.#interrupted) return false;
    this.#stopped({ kind: 'interrupt', vcpu: this.#vcpu });
    return end.cause === 'instruction-limit' || end.cause === 'idle';
  }

  /** Something comes from outside: `give` lets it in, now and whenever this moment is lived again. */
  input(give: () => void): void {
    give();
    this.#history.note(this.stops.position, give);
    this.#furthest = Math.min(this.#furthest, this.stops.position);
    this.#inputsGiven++;
  }

  /** The TD has ended. Resolves when the debugger has seen enough of a dead one; true: it was taken back, and lives. */
  async ended(end: TdEnd): Promise<boolean> {
    if (this.#attached && !ENDED_WELL.has(end.cause) && end.cause !== 'instruction-limit') {
      const vcpu = 'vcpu' in end ? end.vcpu : this.#vcpu;
      const position = this.stops.position;
      this.#stopped({ kind: 'died', vcpu, end });
      await this.mayRun();
      if (this.stops.position < position) return true;
    }
    this.onStop({ kind: 'gone', end });
    this.#platform.processors.stopDebugging();
    return false;
  }

  /** Goes on until something stops it. */
  resume(): void {
    this.stops.limitOfOne = undefined;
    this.#go();
  }

  /** Goes on until this vCPU has done one step; others run as the host lets them. */
  step(vcpu: number): void {
    const processor = this.processors[vcpu]!;
    this.stops.limitOfOne = { processor: processor.index, position: processor.position + 1 };
    this.#go();
  }

  /** Goes back until this vCPU has one step less behind it. */
  stepBack(vcpu: number): void {
    const wanted = this.processors[vcpu]!.position - 1;
    const kept = this.#history.last(({ positions }) => positions[vcpu]! <= wanted);
    if (kept === undefined) {
      this.#toBeginning();
      return;
    }
    this.#goBackTo(kept);
    const { index } = this.processors[vcpu]!;
    this.#live(Number.POSITIVE_INFINITY, { processor: index, position: wanted });
    this.#stopped({ kind: 'step', vcpu });
  }

  /** Goes back to the last breakpoint before this moment, or to the access that a watch was last met by. */
  resumeBack(): void {
    let until = this.stops.position;
    for (;;) {
      const kept = this.#history.last(({ position }) => position < until);
      if (kept === undefined) {
        this.#toBeginning();
        return;
      }
      this.#goBackTo(kept);
      const found = this.#lastStopBefore(until);
      if (found !== undefined) {
        this.#goBackTo(kept);
        this.#live(found.position);
        this.#stopped(found.report);
        return;
      }
      until = kept.position;
    }
  }

  /** Stops the TD at the end of its slice. */
  interrupt(): void {
    if (this.#running) this.#interrupted = true;
  }

  /** The debugger has left: nothing stops any more. */
  release(): void {
    this.stops.clear();
    this.onStop = () => {};
    this.#attached = false;
    if (!this.#running) this.resume();
  }

  #go(): void {
    this.stops.limit = this.#nextInputPosition();
    this.stops.passPosition = this.stops.position;
    this.#running = true;
    this.#wake?.();
    this.#wake = undefined;
  }

  #stopped(report: StopReport): void {
    this.#running = false;
    this.#interrupted = false;
    if ('vcpu' in report) this.#vcpu = report.vcpu;
    this.onStop(report);
  }

  #takeMet(): DebugStop | undefined {
    const met = this.#met;
    this.#met = undefined;
    return met;
  }

  #vcpuOf({ processor }: DebugStop): number {
    return this.processors.findIndex(({ index }) => index === processor);
  }

  #report(stop: DebugStop): StopReport {
    const vcpu = this.#vcpuOf(stop);
    if (stop.kind !== 'watch') return { kind: stop.kind === 'position' ? 'step' : 'breakpoint', vcpu };
    const { low, high, access } = stop.watch;
    return { kind: 'watch', vcpu, linear: (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0), access };
  }

  // ---- the past

  #consider(): void {
    this.#history.consider(
      this.stops.position,
      this.processors.map(({ position }) => position),
    );
  }

  #goBackTo(kept: Kept): void {
    this.#furthest = Math.max(this.#furthest, this.stops.position);
    this.#history.restore(kept);
    this.#inputsGiven = kept.inputs;
  }

  #toBeginning(): void {
    const { first } = this.#history;
    if (first !== undefined) this.#goBackTo(first);
    this.#stopped({ kind: 'beginning', vcpu: this.#vcpu });
  }

  #nextInputPosition(): number {
    return this.#history.input(this.#inputsGiven)?.position ?? Number.POSITIVE_INFINITY;
  }

  #hasStepped(): boolean {
    const one = this.stops.limitOfOne;
    return this.processors.some(({ index, position }) => index === one?.processor && position >= one.position);
  }

  /** Lets in what came at this position; false if nothing did. */
  #giveInputs(): boolean {
    let given = false;
    while (this.#nextInputPosition() === this.stops.position) {
      this.#history.input(this.#inputsGiven++)!.give();
      given = true;
    }
    this.stops.limit = this.#nextInputPosition();
    return given;
  }

  /** Lives again until a position, of all or of one, past whatever would stop. */
  #live(limit: number, limitOfOne?: DebugStops['limitOfOne']): void {
    for (;;) {
      const met = this.#liveOn(limit, limitOfOne);
      if (met.kind === 'position') return;
    }
  }

  /** Lives again until something stops, or the limit. */
  #liveOn(limit: number, limitOfOne?: DebugStops['limitOfOne']): DebugStop {
    const { stops } = this;
    for (;;) {
      this.#giveInputs();
      const toInput = stops.limit < limit;
      if (!toInput) stops.limit = limit;
      stops.limitOfOne = limitOfOne;
      stops.passPosition = stops.position;
      const { end } = this.#td.run();
      const met = this.#takeMet();
      invariant(met !== undefined, `what was lived once can be lived again, and does not end with ${end.cause}`);
      if (met.kind === 'position' && toInput && stops.position === this.#nextInputPosition()) continue;
      return met;
    }
  }

  /** The last stop on the way to a position, and the position to stand at: before the access, for a watch. */
  #lastStopBefore(until: number): { readonly position: number; readonly report: StopReport } | undefined {
    let last: { position: number; report: StopReport } | undefined;
    for (;;) {
      const met = this.#liveOn(until);
      if (met.kind === 'position') return last;
      const position = met.kind === 'watch' ? this.stops.position - 1 : this.stops.position;
      if (position < until) last = { position, report: this.#report(met) };
    }
  }
}
