/** Counts every crossing of a TD's border and keeps the last ones, with the registers of who crossed. */

import { join64 } from '../bits/index.ts';
import { CrossingKind, type CrossingObserver, type RegisterHalves } from '../probe/index.ts';
import type { Crossing } from './crossing.ts';
import type { SymbolLookup } from './symbols.ts';
import { describeRecord } from './trace/describe.ts';
import type { TraceEvent } from './trace/event.ts';
import { Joiner } from './trace/joiner.ts';
import { type CrossingRecord, RecordBuffer } from './trace/record.ts';
import type { TracedPlatform } from './trace/traced-platform.ts';

const kinds = Object.keys(CrossingKind).length;
const flags = (named: readonly CrossingKind[]) =>
  Uint8Array.from({ length: kinds }, (_, kind) => (named.includes(kind as CrossingKind) ? 1 : 0));
/** leaves, exit reasons and states are below */
const SMALL_CODES = 256;

/** What is counted but not kept: pages change by the thousand. */
const notKept = flags([
  CrossingKind.PrivatePage,
  CrossingKind.SharedPage,
  CrossingKind.ModuleCallEntry,
  CrossingKind.HostCallEntry,
]);
/** What a guest does itself, and when it goes on; all else may happen to a guest that does nothing. */
const ownCrossings = flags([
  CrossingKind.ModuleCall,
  CrossingKind.VmmCall,
  CrossingKind.VmmAnswer,
  CrossingKind.VirtualizationException,
  CrossingKind.Handled,
  CrossingKind.Exception,
]);

export class CrossingRecorder implements CrossingObserver {
  /** by kind, then by code: in an array where codes are small, as nearly all are */
  readonly #counts = new Float64Array(kinds * SMALL_CODES);
  readonly #countsOfLarge: readonly Map<number, number>[] = Array.from({ length: kinds }, () => new Map());
  readonly #keep: number;
  readonly #kept: RecordBuffer;
  #platform: TracedPlatform | undefined;
  #total = 0;
  #lastOwnTicks = 0;

  /** Keeps the last `keep` crossings; an answer of the VMM is one of them. */
  constructor(keep = 64) {
    this.#keep = keep;
    this.#kept = new RecordBuffer(keep);
  }

  /** Until then every time is 0, and SEAMCALLs, which build the TD, are counted and no more: an observer is there before its platform. */
  attach(platform: TracedPlatform): void {
    this.#platform = platform;
  }

  crossing(
    kind: CrossingKind,
    vcpu: number,
    code: number,
    operand: number,
    result: number,
    low: number,
    high: number,
    registers: RegisterHalves,
  ): void {
    if (code >= 0 && code < SMALL_CODES) this.#counts[kind * SMALL_CODES + code]++;
    else this.#countsOfLarge[kind]!.set(code, (this.#countsOfLarge[kind]!.get(code) ?? 0) + 1);
    const platform = this.#platform;
    const buildsTd = platform === undefined && kind === CrossingKind.HostCall;
    if (buildsTd || notKept[kind] !== 0) return;
    const ticks = platform?.clock.nowTicks ?? 0;
    if (ownCrossings[kind] !== 0) this.#lastOwnTicks = ticks;
    const retired = vcpu < 0 ? 0 : (platform?.processors()[vcpu]?.retired ?? 0);
    const slot = this.#total++ % this.#keep;
    this.#kept.write(slot, kind, vcpu, code, operand, result, low, high, ticks, retired, registers, registers);
  }

  /** Counts by code of one kind, the most frequent first. */
  counts(kind: CrossingKind): [code: number, count: number][] {
    const ofSmall = this.#counts.subarray(kind * SMALL_CODES, (kind + 1) * SMALL_CODES);
    const small = [...ofSmall.entries()].filter(([, count]) => count > 0);
    return [...small, ...this.#countsOfLarge[kind]!].sort(([a, n], [b, m]) => m - n || a - b);
  }

  /** Number of crossings of all kinds, changes of pages apart. */
  get total(): number {
    return this.#total;
  }

  /** Virtual time of the last crossing that the guest made itself. */
  get lastGuestCrossingTicks(): number {
    return this.#lastOwnTicks;
  }

  /** The last crossings, oldest first, in numbers; an answer is part of its call. */
  last(): Crossing[] {
    const found: Crossing[] = [];
    const asking: (number | undefined)[] = [];
    for (const { kind, vcpu, code, operand, result, ripLow, ripHigh } of this.#records()) {
      if (kind === CrossingKind.VmmAnswer) {
        const index = asking[vcpu];
        asking[vcpu] = undefined;
        if (index !== undefined) found[index] = { ...found[index]!, answer: join64(code, operand) };
        continue;
      }
      if (kind === CrossingKind.VmmCall) asking[vcpu] = found.length;
      found.push({ kind, vcpuIndex: vcpu, code, operand, result, rip: join64(ripLow, ripHigh) });
    }
    return found;
  }

  /** The last crossings in words, oldest first. */
  recent(symbols: SymbolLookup): TraceEvent[] {
    const events: TraceEvent[] = [];
    const joiner = new Joiner((event) => events.push(event));
    for (const [n, record] of this.#records().entries()) {
      if (record.kind === CrossingKind.VmmAnswer) joiner.answer(record);
      else {
        const symbolOf = (low: number, high: number) => symbols(join64(low, high));
        joiner.event(describeRecord(record, n, this.#platform?.gpaw ?? 48, symbolOf), record);
      }
    }
    joiner.end();
    return events;
  }

  #records(): CrossingRecord[] {
    const first = Math.max(0, this.#total - this.#keep);
    return Array.from({ length: this.#total - first }, (_, i) => this.#kept.read((first + i) % this.#keep));
  }
}
