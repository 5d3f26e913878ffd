/** Writes every crossing of a TD's border down, as numbers at first; they become text when a buffer is full, and at the end. */

import type { Gpaw } from '../../abi/index.ts';
import { join64 } from '../../bits/index.ts';
import type { Td, TdxPlatform } from '../../machine/index.ts';
import { CrossingKind, type CrossingObserver, type RegisterHalves } from '../../probe/index.ts';
import type { SymbolLookup } from '../symbols.ts';
import { describeRecord } from './describe.ts';
import { filterTest, type TraceFilter } from './filter.ts';
import { Joiner } from './joiner.ts';
import { type CrossingRecord, RecordBuffer } from './record.ts';
import type { TraceWriter } from './writer.ts';

/** What the tracer asks the platform for at each crossing. */
export interface TracedPlatform {
  readonly clock: { readonly nowTicks: number };
  /** by index of the vCPU; empty until there are any */
  readonly processors: () => readonly { readonly retired: number }[];
  readonly gpaw: Gpaw;
}

/** What a tracer asks a platform of ours for. */
export function tracedPlatform(platform: TdxPlatform, { host }: Td): TracedPlatform {
  const processors = platform.module.processorsOf(host.tdrHpa);
  return { clock: platform.clock, processors: () => processors, gpaw: host.gpaw };
}

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
    this.#buffer.push(kind, vcpu, code, operand, result, ripLow, ripHigh, ticks, retired, before, registers);
    if (this.#buffer.isFull) this.flush();
  }

  /** Turns what has been noted so far into text. */
  flush(): void {
    this.#buffer.drain((record) => this.#tell(record));
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
