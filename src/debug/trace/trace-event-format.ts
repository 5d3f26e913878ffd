/**
 * The Trace Event Format, which Perfetto and Chrome open: a track for each vCPU, one for the module, one for the host, and counters.
 * Source: "Trace Event Format", sections "JSON Object Format", "Complete Events", "Instant Events", "Counter Events", "Metadata Events".
 */

import type { TraceEvent } from './event.ts';
import type { TraceWriter, WriteText } from './writer.ts';

const PROCESS = 1;
const MODULE_TRACK = 1000;
const HOST_TRACK = 1001;
const TICKS_PER_MICROSECOND = 1000;
/** virtual time between two values of a counter */
const COUNTER_TICKS = 100_000;
const TICKS_PER_MILLISECOND = 1_000_000;
/** a slice of no length cannot be seen */
const SHORTEST_TICKS = 1;

interface FormatEvent {
  readonly ph: 'X' | 'i' | 'C' | 'M';
  readonly name: string;
  readonly pid: number;
  readonly tid?: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly s?: 't';
  readonly args?: object;
}

/**
 * What takes virtual time is a slice on the track of its vCPU, which is away for so long; what takes none is an instant on the track
 * of who acted. Viewers nest slices, and a thousand SEAMCALLs at one moment are no tower.
 */
const slices: ReadonlySet<string> = new Set(['VMM call', '#VE']);
const instantTrack: Readonly<Record<string, number>> = {
  'module call': MODULE_TRACK,
  'private page': MODULE_TRACK,
  'VMM call': HOST_TRACK,
  'host call': HOST_TRACK,
  'shared page': HOST_TRACK,
  'interrupt posted': HOST_TRACK,
};
/** kinds whose instants need no other word than their name */
const namedByThemselves: ReadonlySet<string> = new Set(['module call', 'VMM call', 'host call']);
/** Secure EPT states in which a page is the guest's to use */
const USABLE = 'MAPPED';

export class TraceEventFormatWriter implements TraceWriter {
  readonly #write: WriteText;
  #pieces: string[] = [];
  #first = true;
  readonly #knownVcpus = new Set<number>();
  #counterTicks = 0;
  #exceptions = 0;
  #privateBytes = 0;
  #sharedBytes = 0;
  #shown = '';

  /** @param about goes into the file's `otherData`: what was run */
  constructor(write: WriteText, about: Readonly<Record<string, string>> = {}) {
    this.#write = write;
    write(`{"displayTimeUnit":"ns","otherData":${JSON.stringify(about)},"traceEvents":[\n`);
    this.#put({ ph: 'M', name: 'process_name', pid: PROCESS, args: { name: 'Trust Domain' } });
    this.#nameTrack(MODULE_TRACK, 'TDX module');
    this.#nameTrack(HOST_TRACK, 'host (VMM)');
  }

  event(event: TraceEvent): void {
    this.#count(event);
    const { kind, name, vcpu, ticks } = event;
    if (vcpu !== undefined && !this.#knownVcpus.has(vcpu)) {
      this.#knownVcpus.add(vcpu);
      this.#nameTrack(vcpu, `vCPU ${vcpu}`);
    }
    const own = vcpu ?? HOST_TRACK;
    const common = { pid: PROCESS, ts: ticks / TICKS_PER_MICROSECOND, cat: kind };
    const title = namedByThemselves.has(kind) ? name : `${kind} ${name}`;
    if (!slices.has(kind)) {
      this.#put({ ph: 'i', name: title, tid: instantTrack[kind] ?? own, s: 't', ...common, args: event });
      return;
    }
    const dur = Math.max(event.ticksTaken ?? 0, SHORTEST_TICKS) / TICKS_PER_MICROSECOND;
    this.#put({ ph: 'X', name: title, tid: own, dur, ...common, args: event });
    const served = instantTrack[kind];
    if (served !== undefined)
      this.#put({ ph: 'i', name: title, tid: served, s: 't', ...common, args: { call: event.n } });
  }

  flush(): void {
    if (this.#pieces.length === 0) return;
    this.#write(this.#pieces.join(''));
    this.#pieces = [];
  }

  end(): void {
    this.#showCounters(this.#counterTicks + COUNTER_TICKS);
    this.flush();
    this.#write('\n]}\n');
  }

  #put(event: FormatEvent): void {
    this.#pieces.push(`${this.#first ? '' : ',\n'}${JSON.stringify(event)}`);
    this.#first = false;
  }

  #nameTrack(tid: number, name: string): void {
    this.#put({ ph: 'M', name: 'thread_name', pid: PROCESS, tid, args: { name } });
    this.#put({ ph: 'M', name: 'thread_sort_index', pid: PROCESS, tid, args: { sort_index: tid } });
  }

  #count(event: TraceEvent): void {
    if (event.ticks >= this.#counterTicks + COUNTER_TICKS) this.#showCounters(event.ticks);
    if (event.kind === '#VE') this.#exceptions++;
    if (event.kind === 'private page') {
      const was = event.details?.startsWith(`was ${USABLE},`) === true;
      const is = event.name === USABLE;
      this.#privateBytes += ((is ? 1 : 0) - (was ? 1 : 0)) * (event.gpaBytes ?? 0);
    }
    if (event.kind === 'shared page') this.#sharedBytes += (event.name === 'MAPPED' ? 1 : -1) * (event.gpaBytes ?? 0);
  }

  /** Values of the interval that ends before `ticks`, unless nothing has changed. */
  #showCounters(ticks: number): void {
    const rate = (this.#exceptions * TICKS_PER_MILLISECOND) / COUNTER_TICKS;
    const values = {
      '#VE per ms': rate,
      'private pages': this.#privateBytes / 4096,
      'shared pages': this.#sharedBytes / 4096,
    };
    const shown = JSON.stringify(values);
    if (shown !== this.#shown)
      for (const [name, value] of Object.entries(values))
        this.#put({
          ph: 'C',
          name,
          pid: PROCESS,
          ts: this.#counterTicks / TICKS_PER_MICROSECOND,
          args: { value },
        });
    this.#shown = shown;
    this.#exceptions = 0;
    this.#counterTicks = ticks - (ticks % COUNTER_TICKS);
  }
}
