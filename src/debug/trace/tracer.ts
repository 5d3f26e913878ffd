/** Writes every crossing of a TD's border down, as numbers at first; they become text when a buffer is full, and at the end. */

import { join64 } from '../../bits/index.ts';
import { CrossingKind, type CrossingObserver, type RegisterHalves } from '../../probe/index.ts';
import type { SymbolLookup } from '../symbols.ts';
import { describeRecord } from './describe.ts';
import { filterTest, type TraceFilter } from './filter.ts';
import { Joiner } from './joiner.ts';
import { type CrossingRecord, RecordBuffer } from './record.ts';
import type { TracedPlatform } from './traced-platform.ts';
import type { TraceWriter } from './writer.ts';

export interface TracerOptions {
  readonly writer: TraceWriter;
  readonly filter?: TraceFilter;
  /** name of a code address, "start_kernel+0x10" */
  readonly symbols?: SymbolLookup;
}

const RECORDS = 4096;
const HOST = -1;

export class Tracer implements CrossingObserver {
  readonly wantsEntries = true;
  readonly #writer: TraceWriter;
  readonly #symbols: SymbolLookup;
  readonly #buffer = new RecordBuffer(RECORDS);
  readonly #joiner: Joiner;
  /** registers of the call that is being served, by vCPU + 1: the host's come first */
  readonly #entries: Int32Array[] = [];
  readonly #names = new Map<bigint, string | undefined>();
  #platform: TracedPlatform | undefined;
  #next = 0;
  /** records in the buffer */
  #noted = 0;

  constructor({ writer, filter = {}, symbols = () => undefined }: TracerOptions) {
    this.#writer = writer;
    this.#symbols = symbols;
    const test = filterTest(filter);
    this.#joiner = new Joiner((event) => {
      if (test === undefined || test(event)) writer.event(event);
    });
  }

  /** Until then every time is 0: an observer is there before its platform. */
  attach(platform: TracedPlatform): void {
    this.#platform = platform;
  }

  crossing(
    kind: CrossingKind,
    vcpu: number,
    code: number,
    operand: number,
    result: number,
    ripLow: number,
    ripHigh: number,
    registers: RegisterHalves,
  ): void {
    if (kind === CrossingKind.ModuleCallEntry || kind === CrossingKind.HostCallEntry) {
      (this.#entries[vcpu - HOST] ??= new Int32Array(registers.length)).set(registers);
      return;
    }
    const isCall = kind === CrossingKind.ModuleCall || kind === CrossingKind.HostCall;
    const before = isCall ? (this.#entries[vcpu - HOST] ?? registers) : registers;
    const platform = this.#platform;
    const inRun = kind === CrossingKind.InterruptTaken ? operand : 0;
    const ticks = (platform?.clock.nowTicks ?? 0) + inRun;
    const retired = vcpu < 0 ? 0 : (platform?.processors()[vcpu]?.retired ?? 0) + inRun;
    const slot = this.#noted++;
    this.#buffer.write(slot, kind, vcpu, code, operand, result, ripLow, ripHigh, ticks, retired, before, registers);
    if (this.#noted === RECORDS) this.flush();
  }

  /** Turns what has been noted so far into text. */
  flush(): void {
    for (let slot = 0; slot < this.#noted; slot++) this.#tell(this.#buffer.read(slot));
    this.#noted = 0;
    this.#writer.flush();
  }

  /** The end of the trace: nothing is held back any more. */
  end(): void {
    this.flush();
    this.#joiner.end();
    this.#writer.end();
  }

  #tell(record: CrossingRecord): void {
    if (record.kind === CrossingKind.VmmAnswer) {
      this.#joiner.answer(record);
      return;
    }
    const symbolOf = (low: number, high: number) => this.#nameOf(join64(low, high));
    this.#joiner.event(describeRecord(record, this.#next++, this.#platform?.gpaw ?? 48, symbolOf), record);
  }

  #nameOf(rip: bigint): string | undefined {
    if (!this.#names.has(rip)) {
      const name = this.#symbols(rip);
      // a kernel that unpacks itself has no names yet: it will be asked again
      if (name === undefined) return undefined;
      this.#names.set(rip, name);
    }
    return this.#names.get(rip);
  }
}
