/** When a TD runs under a debugger and when it waits. The host's loop asks before each slice and tells how the slice ended. */
import type { DebugStop, DebugStops, LogicalProcessor } from '../../cpu/index.ts';
import type { Td, TdEnd, TdxPlatform } from '../../machine/index.ts';

/** Why the TD stands still. */
export type StopReport =
  | { readonly kind: 'breakpoint'; readonly vcpu: number }
  | { readonly kind: 'watch'; readonly vcpu: number; readonly linear: bigint; readonly access: number }
  | { readonly kind: 'step'; readonly vcpu: number }
  | { readonly kind: 'interrupt'; readonly vcpu: number }
  /** the TD cannot go on; what it was can still be seen */
  | { readonly kind: 'died'; readonly vcpu: number; readonly end: TdEnd }
  /** the TD has ended and nothing is left to be debugged */
  | { readonly kind: 'gone'; readonly end: TdEnd };

/** Ends that are no failure of the guest. */
const ENDED_WELL: ReadonlySet<TdEnd['cause']> = new Set(['power-off', 'reset', 'stopped', 'idle']);

export class RunControl {
  readonly stops: DebugStops;
  readonly processors: readonly LogicalProcessor[];
  /** told of each stop, while somebody debugs */
  onStop: (report: StopReport) => void = () => {};

  readonly #platform: TdxPlatform;
  #running: boolean;
  #met: DebugStop | undefined;
  #interrupted = false;
  #wake: (() => void) | undefined;
  #vcpu = 0;

  /** @param paused the TD waits for a debugger before its first instruction */
  constructor(platform: TdxPlatform, td: Td, paused: boolean) {
    this.#platform = platform;
    this.processors = platform.module.processorsOf(td.host.tdrHpa);
    this.#running = !paused;
    this.stops = platform.processors.debug();
    this.stops.onStop = (stop) => {
      this.#met = stop;
      td.stop();
    };
  }

  /** The vCPU that stopped last. */
  get vcpu(): number {
    return this.#vcpu;
  }

  get isRunning(): boolean {
    return this.#running;
  }

  /** Resolves when the TD may run: at once, or when the debugger lets it go. */
  async mayRun(): Promise<void> {
    while (!this.#running) await new Promise<void>((wake) => (this.#wake = wake));
  }

  /** Told how a slice of the run ended; true if that was the debugger's doing, and the run is to go on. */
  ran(end: TdEnd): boolean {
    const met = this.#met;
    this.#met = undefined;
    if (met !== undefined) {
      const vcpu = this.processors.findIndex(({ index }) => index === met.processor);
      this.#stopped(report(met, vcpu));
      return true;
    }
    if (this.#interrupted) {
      this.#stopped({ kind: 'interrupt', vcpu: this.#vcpu });
      return end.cause === 'instruction-limit' || end.cause === 'idle';
    }
    return false;
  }

  /** The TD has ended. Resolves when the debugger has seen enough of a dead one. */
  async ended(end: TdEnd): Promise<void> {
    if (!ENDED_WELL.has(end.cause) && end.cause !== 'instruction-limit') {
      const vcpu = 'vcpu' in end ? end.vcpu : this.#vcpu;
      this.#stopped({ kind: 'died', vcpu, end });
      await this.mayRun();
    }
    this.onStop({ kind: 'gone', end });
    this.#platform.processors.stopDebugging();
  }

  /** Goes on until something stops it. */
  resume(): void {
    this.stops.limit = Number.POSITIVE_INFINITY;
    this.stops.limitOfOne = undefined;
    this.#go();
  }

  /** Goes on until this vCPU has done one step; others run as the host lets them. */
  step(vcpu: number): void {
    const processor = this.processors[vcpu]!;
    this.stops.limit = Number.POSITIVE_INFINITY;
    this.stops.limitOfOne = { processor: processor.index, position: processor.position + 1 };
    this.#go();
  }

  /** Stops the TD at the end of its slice. */
  interrupt(): void {
    if (this.#running) this.#interrupted = true;
  }

  /** The debugger has left: nothing stops any more. */
  release(): void {
    this.stops.clear();
    this.onStop = () => {};
    if (!this.#running) this.resume();
  }

  #go(): void {
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
}

function report(stop: DebugStop, vcpu: number): StopReport {
  switch (stop.kind) {
    case 'breakpoint':
      return { kind: 'breakpoint', vcpu };
    case 'position':
      return { kind: 'step', vcpu };
    case 'watch': {
      const { low, high, access } = stop.watch;
      return { kind: 'watch', vcpu, linear: (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0), access };
    }
  }
}
