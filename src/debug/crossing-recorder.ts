/** Counts every crossing of a TD's border and keeps the last ones. */

import { join64 } from '../bits/index.ts';
import { CrossingKind, type CrossingObserver } from '../probe/index.ts';

/** One crossing, in the numbers of CrossingObserver. */
export interface Crossing {
  readonly kind: CrossingKind;
  readonly vcpuIndex: number;
  readonly code: number;
  readonly operand: number;
  readonly result: number;
  readonly rip: bigint;
  /** R10 of the answer, where the VMM has given one */
  readonly answer?: bigint;
}

const kinds = Object.keys(CrossingKind).length;
/** fields of a slot */
const F = { kind: 0, vcpu: 1, code: 2, operand: 3, result: 4, ripLow: 5, ripHigh: 6, answered: 7, low: 8, high: 9 };
const FIELDS = Object.keys(F).length;

/** What is counted but not kept: pages change by the thousand, and an answer belongs to its call. */
const notKept = new Set<CrossingKind>([
  CrossingKind.VmmAnswer,
  CrossingKind.PrivatePage,
  CrossingKind.SharedPage,
  CrossingKind.ModuleCallEntry,
  CrossingKind.HostCallEntry,
]);

export class CrossingRecorder implements CrossingObserver {
  readonly #counts: readonly Map<number, number>[] = Array.from({ length: kinds }, () => new Map());
  readonly #kept: Float64Array[];
  /** by vCPU: the slot of the VMM call that waits for its answer */
  readonly #asking: (Float64Array | undefined)[] = [];
  #total = 0;

  /** Keeps the last `keep` crossings. */
  constructor(keep = 20) {
    this.#kept = Array.from({ length: keep }, () => new Float64Array(FIELDS));
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
    if (notKept.has(kind)) {
      if (kind === CrossingKind.VmmAnswer) this.#answer(vcpu, code, operand);
      return;
    }
    const slot = this.#kept[this.#total++ % this.#kept.length]!;
    slot[F.kind] = kind;
    slot[F.vcpu] = vcpu;
    slot[F.code] = code;
    slot[F.operand] = operand;
    slot[F.result] = result;
    slot[F.ripLow] = low >>> 0;
    slot[F.ripHigh] = high >>> 0;
    slot[F.answered] = 0;
    if (kind === CrossingKind.VmmCall) this.#asking[vcpu] = slot;
  }

  /** Counts by code of one kind, the most frequent first. */
  counts(kind: CrossingKind): [code: number, count: number][] {
    return [...this.#counts[kind]!].sort(([a, n], [b, m]) => m - n || a - b);
  }

  /** Number of crossings of all kinds, changes of pages apart. */
  get total(): number {
    return this.#total;
  }

  /** The last crossings, oldest first. */
  last(): Crossing[] {
    const length = this.#kept.length;
    const first = Math.max(0, this.#total - length);
    return Array.from({ length: this.#total - first }, (_, i) => {
      const slot = this.#kept[(first + i) % length]!;
      return {
        kind: slot[F.kind] as CrossingKind,
        vcpuIndex: slot[F.vcpu]!,
        code: slot[F.code]!,
        operand: slot[F.operand]!,
        result: slot[F.result]!,
        rip: join64(slot[F.ripLow]!, slot[F.ripHigh]!),
        ...(slot[F.answered] === 1 ? { answer: join64(slot[F.low]!, slot[F.high]!) } : {}),
      };
    });
  }

  #answer(vcpu: number, low: number, high: number): void {
    const slot = this.#asking[vcpu];
    this.#asking[vcpu] = undefined;
    // its slot may hold a later crossing by now
    if (slot === undefined || slot[F.kind] !== CrossingKind.VmmCall || slot[F.vcpu] !== vcpu) return;
    slot[F.answered] = 1;
    slot[F.low] = low >>> 0;
    slot[F.high] = high >>> 0;
  }
}
