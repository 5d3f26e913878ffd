/** How many pages of a TD are in which state now. */

import { levelBytes } from '../abi/index.ts';
import { CrossingKind, type CrossingObserver } from '../probe/index.ts';
import { SEPT_STATES } from '../seam/index.ts';

const PAGE_BYTES = 4096;

export class PageCounts implements CrossingObserver {
  readonly kinds = [CrossingKind.PrivatePage, CrossingKind.SharedPage];
  readonly #private = new Float64Array(SEPT_STATES.length);
  #shared = 0;

  crossing(kind: CrossingKind, _vcpu: number, code: number, operand: number): void {
    if (kind === CrossingKind.SharedPage) this.#shared += code === 1 ? 1 : -1;
    if (kind !== CrossingKind.PrivatePage) return;
    const pages = levelBytes(operand % 256) / PAGE_BYTES;
    const before = Math.floor(operand / 256);
    this.#private[before] = this.#private[before]! - pages;
    this.#private[code] = this.#private[code]! + pages;
  }

  /** State by its name, "shared" for shared pages, to pages of 4 KiB; only where there are any. */
  counts(): [state: string, pages: number][] {
    const leaves = SEPT_STATES.filter(({ leaf }) => leaf).map(({ state, name }): [string, number] => [
      name,
      this.#private[state]!,
    ]);
    return [...leaves, ['shared', this.#shared] as [string, number]].filter(([, pages]) => pages > 0);
  }
}
