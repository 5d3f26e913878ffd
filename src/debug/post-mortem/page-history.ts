/** What became of each page: every change of its state, and when. */

import { levelBytes } from '../../abi/index.ts';
import { CrossingKind, type CrossingObserver } from '../../probe/index.ts';
import { septStateName } from '../crossing-names.ts';

/** Numbers of one change. */
const FIELDS = 5;
const FIRST_CAPACITY = 1 << 12;
/** What comes later is kept, what is older is forgotten. */
const MOST_CHANGES = 1 << 20;

export interface PageChange {
  readonly ticks: number;
  /** first address and length of the leaf that changed */
  readonly gpa: number;
  readonly bytes: number;
  /** "private: PENDING to MAPPED", "shared: mapped" */
  readonly what: string;
}

export class PageHistory implements CrossingObserver {
  readonly kinds = [CrossingKind.PrivatePage, CrossingKind.SharedPage];
  #clock: { readonly nowTicks: number } | undefined;
  #changes = new Float64Array(FIRST_CAPACITY * FIELDS);
  #total = 0;

  /** Until then every time is 0: an observer is there before its platform. */
  attach(clock: { readonly nowTicks: number }): void {
    this.#clock = clock;
  }

  crossing(kind: CrossingKind, _vcpu: number, code: number, operand: number, result: number): void {
    if (kind !== CrossingKind.PrivatePage && kind !== CrossingKind.SharedPage) return;
    const capacity = this.#changes.length / FIELDS;
    if (this.#total === capacity && capacity < MOST_CHANGES) {
      const grown = new Float64Array(this.#changes.length * 2);
      grown.set(this.#changes);
      this.#changes = grown;
    }
    const at = (this.#total++ % (this.#changes.length / FIELDS)) * FIELDS;
    this.#changes[at] = this.#clock?.nowTicks ?? 0;
    this.#changes[at + 1] = kind;
    this.#changes[at + 2] = code;
    this.#changes[at + 3] = operand;
    this.#changes[at + 4] = result;
  }

  /** Every change of the page at `gpa` (no shared bit), oldest first. */
  of(gpa: number): PageChange[] {
    const capacity = this.#changes.length / FIELDS;
    const found: PageChange[] = [];
    for (let i = Math.max(0, this.#total - capacity); i < this.#total; i++) {
      const [ticks, kind, code, operand, start] = this.#changes.subarray(
        (i % capacity) * FIELDS,
        (i % capacity) * FIELDS + FIELDS,
      );
      const isPrivate = kind === CrossingKind.PrivatePage;
      const bytes = isPrivate ? levelBytes(operand! % 256) : 4096;
      if (gpa < start! || gpa >= start! + bytes) continue;
      const before = Math.floor(operand! / 256);
      const what = isPrivate
        ? `private: ${septStateName(before)} to ${septStateName(code!)}`
        : `shared: ${code === 1 ? 'mapped' : 'unmapped'}`;
      found.push({ ticks: ticks!, gpa: start!, bytes, what });
    }
    return found;
  }
}
