/**
 * What a debugger stops processors at: instructions, accesses, positions. While nobody debugs there is no such object, and nothing
 * is looked at. A stop changes no bit of the run: it waits between two steps, and the clock does not hear of it.
 *
 * A step is one instruction, or the delivery of one event. A position counts steps, so each place of a run has a number.
 */

import type { Instruction } from '../isa/index.ts';
import type { Processor } from './processor.ts';

const PAGE_BYTES = 4096;

/** Steps before a position at which processors begin to go one by one: longer than straight lines of code are. */
const MARGIN_STEPS = 8192;

/** Bytes of linear memory that shall not be accessed in silence. */
export interface Watch {
  readonly low: number;
  readonly high: number;
  readonly lengthBytes: number;
  /** bits of Access: Read, Write */
  readonly access: number;
}

export type DebugStop =
  | { readonly kind: 'breakpoint'; readonly processor: number }
  /** the watched bytes were accessed by the step that has just been done */
  | { readonly kind: 'watch'; readonly processor: number; readonly watch: Watch }
  /** a position was reached */
  | { readonly kind: 'position'; readonly processor: number };

/** Where the position of a processor is to be had. */
export interface Positioned {
  readonly index: number;
  readonly position: number;
}

/** Looks at steps instead of stopping before them. What it looks at goes one by one; the run is the same, bit for bit. */
export interface StepWatcher {
  /** An instruction that has a breakpoint is next: `wants` may change. */
  reached(processor: Processor, low: number, high: number): void;
  /** Shall the steps of this processor be shown? */
  wants(processor: Processor): boolean;
  /** The instruction at instructionStart is about to be executed; it may yet fault, or exit. */
  before(processor: Processor, instruction: Instruction): void;
  /** What was shown last has been executed. */
  after(processor: Processor): void;
}

export class DebugStops {
  /** not 0: an instruction at this offset of any page has a breakpoint, or had one; the code cache leaves it to the host */
  readonly offsets = new Uint8Array(PAGE_BYTES);
  /** position of all processors together at which they stop */
  limit = Number.POSITIVE_INFINITY;
  /** position of one processor at which it stops */
  limitOfOne: { readonly processor: number; readonly position: number } | undefined;
  /** steps before a limit from which on each goes alone */
  marginSteps = MARGIN_STEPS;
  /** a breakpoint at this position of all processors is where the run goes on from: it has stopped there already */
  passPosition = -1;
  /** looks at breakpoints in place of stopping there */
  watcher: StepWatcher | undefined;
  /** told of a stop before the processor leaves its run */
  onStop: (stop: DebugStop) => void = () => {};

  readonly #processors: readonly Positioned[];
  readonly #onNewOffset: (offset: number) => void;
  readonly #onWatch: (watch: Watch) => void;
  /** high halves by low half of the linear address */
  readonly #breakpoints = new Map<number, Set<number>>();
  readonly #watches: Watch[] = [];

  constructor(
    processors: readonly Positioned[],
    onNewOffset: (offset: number) => void,
    onWatch: (watch: Watch) => void,
  ) {
    this.#processors = processors;
    this.#onNewOffset = onNewOffset;
    this.#onWatch = onWatch;
  }

  /** Steps done by all processors together. */
  get position(): number {
    let sum = 0;
    for (const { position } of this.#processors) sum += position;
    return sum;
  }

  addBreakpoint(low: number, high: number): void {
    const highs = this.#breakpoints.get(low | 0);
    if (highs === undefined) this.#breakpoints.set(low | 0, new Set([high | 0]));
    else highs.add(high | 0);
    const offset = low & (PAGE_BYTES - 1);
    if (this.offsets[offset] !== 0) return;
    this.offsets[offset] = 1;
    this.#onNewOffset(offset);
  }

  removeBreakpoint(low: number, high: number): void {
    this.#breakpoints.get(low | 0)?.delete(high | 0);
  }

  hasBreakpoint(low: number, high: number): boolean {
    return this.offsets[low & (PAGE_BYTES - 1)] !== 0 && this.#breakpoints.get(low)?.has(high) === true;
  }

  addWatch(watch: Watch): void {
    this.#watches.push(watch);
    this.#onWatch(watch);
  }

  /** Takes away a watch with these bytes and accesses. */
  removeWatch({ low, high, lengthBytes, access }: Watch): void {
    const index = this.#watches.findIndex(
      (each) => each.low === low && each.high === high && each.lengthBytes === lengthBytes && each.access === access,
    );
    if (index >= 0) this.#watches.splice(index, 1);
  }

  /** Forgets breakpoints, watches and limits. */
  clear(): void {
    this.#breakpoints.clear();
    this.#watches.length = 0;
    this.limit = Number.POSITIVE_INFINITY;
    this.limitOfOne = undefined;
  }

  get watchesAnything(): boolean {
    return this.#watches.length > 0;
  }

  /** Accesses to this linear page that somebody watches: bits of Access. */
  watchedAccess(pageLow: number, pageHigh: number): number {
    let access = 0;
    for (const watch of this.#watches)
      if (overlaps(watch, pageLow & -PAGE_BYTES, pageHigh, PAGE_BYTES)) access |= watch.access;
    return access;
  }

  /** The first watch that an access meets. */
  watchOf(low: number, high: number, bytes: number, access: number): Watch | undefined {
    return this.#watches.find((watch) => (watch.access & access) !== 0 && overlaps(watch, low, high, bytes));
  }

  /** Own position at which `processor` stops, while the others stand still. */
  stopPositionOf(processor: Positioned): number {
    const one = this.limitOfOne;
    const own = one !== undefined && one.processor === processor.index ? one.position : Number.POSITIVE_INFINITY;
    return Math.min(own, this.limit - (this.position - processor.position));
  }
}

/** Do the bytes of a watch and [low, low + bytes) share one? Both are shorter than 2^31. */
function overlaps(watch: Watch, low: number, high: number, bytes: number): boolean {
  const apart = (low >>> 0) - (watch.low >>> 0) + ((high | 0) - (watch.high | 0)) * 0x1_0000_0000;
  return apart < watch.lengthBytes && -apart < bytes;
}
