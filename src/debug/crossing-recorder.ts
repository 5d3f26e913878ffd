/** Counts every crossing of a TD's border and keeps the last ones. */

import { CrossingKind, type CrossingObserver } from '../probe/index.ts';

/** One crossing, in the numbers of CrossingObserver. */
export interface Crossing {
  readonly kind: CrossingKind;
  readonly vcpuIndex: number;
  readonly code: number;
  readonly operand: number;
  readonly result: number;
  readonly rip: bigint;
}

const kinds = Object.keys(CrossingKind).length;

export class CrossingRecorder implements CrossingObserver {
  readonly #counts: readonly Map<number, number>[] = Array.from({ length: kinds }, () => new Map());
  readonly #kept: Float64Array[];
  #total = 0;

  /** Keeps the last `keep` crossings. */
  constructor(keep = 20) {
    this.#kept = Array.from({ length: keep }, () => new Float64Array(7));
  }

  crossing(
    kind: CrossingKind,
    vcpu: number,
    code: number,
    operand: number,
    result: number,
    low: number,
    high: number,
  ): void {
    const counts = this.#counts[kind]!;
    counts.set(code, (counts.get(code) ?? 0) + 1);
    const slot = this.#kept[this.#total++ % this.#kept.length]!;
    slot[0] = kind;
    slot[1] = vcpu;
    slot[2] = code;
    slot[3] = operand;
    slot[4] = result;
    slot[5] = low >>> 0;
    slot[6] = high >>> 0;
  }

  /** Counts by code of one kind, the most frequent first. */
  counts(kind: CrossingKind): [code: number, count: number][] {
    return [...this.#counts[kind]!].sort(([a, n], [b, m]) => m - n || a - b);
  }

  /** Number of crossings of all kinds. */
  get total(): number {
    return this.#total;
  }

  /** The last crossings, oldest first. */
  last(): Crossing[] {
    const length = this.#kept.length;
    const first = Math.max(0, this.#total - length);
    return Array.from({ length: this.#total - first }, (_, i) => {
      const [kind, vcpuIndex, code, operand, result, low, high] = this.#kept[(first + i) % length]!;
      const rip = (BigInt(high!) << 32n) | BigInt(low!);
      return {
        kind: kind as CrossingKind,
        vcpuIndex: vcpuIndex!,
        code: code!,
        operand: operand!,
        result: result!,
        rip,
      };
    });
  }
}
