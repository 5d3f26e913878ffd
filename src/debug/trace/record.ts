/** Crossings as numbers, until there is time, or a reason, to turn them into words: records of one size in one buffer. */

import type { CrossingKind, RegisterHalves } from '../../probe/index.ts';

const REGISTER_WORDS = 32;
/** 32-bit words of a record; those from `ticks` to `result` are doubles. */
const W = {
  kind: 0,
  vcpu: 1,
  code: 2,
  ripLow: 3,
  ripHigh: 4,
  hasEntry: 5,
  ticks: 6,
  retired: 8,
  operand: 10,
  result: 12,
};
const BEFORE = 16;
const AFTER = BEFORE + REGISTER_WORDS;
const RECORD_WORDS = AFTER + REGISTER_WORDS;

/** One record, read from its buffer. */
export interface CrossingRecord {
  readonly kind: CrossingKind;
  readonly vcpu: number;
  readonly code: number;
  readonly operand: number;
  readonly result: number;
  readonly ticks: number;
  readonly retired: number;
  readonly ripLow: number;
  readonly ripHigh: number;
  /** `before` is how they were before the call was served; else it is as `after` */
  readonly hasEntry: boolean;
  readonly before: Int32Array;
  readonly after: Int32Array;
}

/** A fixed number of records, by slot. */
export class RecordBuffer {
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;

  constructor(capacity: number) {
    const buffer = new ArrayBuffer(capacity * RECORD_WORDS * 4);
    this.#words = new Int32Array(buffer);
    this.#doubles = new Float64Array(buffer);
  }

  write(
    slot: number,
    kind: CrossingKind,
    vcpu: number,
    code: number,
    operand: number,
    result: number,
    ripLow: number,
    ripHigh: number,
    ticks: number,
    retired: number,
    before: RegisterHalves,
    after: RegisterHalves,
  ): void {
    const at = slot * RECORD_WORDS;
    const words = this.#words;
    words[at + W.kind] = kind;
    words[at + W.vcpu] = vcpu;
    words[at + W.code] = code;
    words[at + W.ripLow] = ripLow;
    words[at + W.ripHigh] = ripHigh;
    words[at + W.hasEntry] = before === after ? 0 : 1;
    const double = at >> 1;
    this.#doubles[double + W.ticks / 2] = ticks;
    this.#doubles[double + W.retired / 2] = retired;
    this.#doubles[double + W.operand / 2] = operand;
    this.#doubles[double + W.result / 2] = result;
    // a loop, because for so few words a call of `set` takes longer
    if (before !== after) for (let i = 0; i < REGISTER_WORDS; i++) words[at + BEFORE + i] = before[i]!;
    for (let i = 0; i < REGISTER_WORDS; i++) words[at + AFTER + i] = after[i]!;
  }

  /** Register arrays are views that hold until the slot is written again. */
  read(slot: number): CrossingRecord {
    const at = slot * RECORD_WORDS;
    const double = at >> 1;
    const hasEntry = this.#words[at + W.hasEntry] === 1;
    return {
      kind: this.#words[at + W.kind] as CrossingKind,
      vcpu: this.#words[at + W.vcpu]!,
      code: this.#words[at + W.code]!,
      operand: this.#doubles[double + W.operand / 2]!,
      result: this.#doubles[double + W.result / 2]!,
      ticks: this.#doubles[double + W.ticks / 2]!,
      retired: this.#doubles[double + W.retired / 2]!,
      ripLow: this.#words[at + W.ripLow]!,
      ripHigh: this.#words[at + W.ripHigh]!,
      hasEntry,
      before: hasEntry
        ? this.#words.subarray(at + BEFORE, at + AFTER)
        : this.#words.subarray(at + AFTER, at + RECORD_WORDS),
      after: this.#words.subarray(at + AFTER, at + RECORD_WORDS),
    };
  }
}
