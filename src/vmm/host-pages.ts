/** Which pages of host memory are in use. It hands out addresses and touches no byte. */
import { hex, invariant, type StateVisitor } from '../bits/index.ts';

export const PAGE_4K_BYTES = 4096;
export const PAGE_2M_BYTES = 2 << 20;

export class OutOfHostMemory extends Error {
  override readonly name = 'OutOfHostMemory';
}

/** Large pages from the bottom up, small ones from large ones; freed pages are handed out again first, last freed first. */
export class HostPages {
  readonly #endHpa: number;
  #nextLarge: number;
  #freeLarge: number[] = [];
  #freeSmall: number[] = [];
  /** small pages left of the large page being split: [next, end) */
  #splitNext = 0;
  #splitEnd = 0;

  /** @param baseHpa first byte the host may use @param lengthBytes a multiple of 4096 */
  constructor(baseHpa: number, lengthBytes: number) {
    invariant(baseHpa % PAGE_4K_BYTES === 0 && lengthBytes % PAGE_4K_BYTES === 0, 'host memory comes in pages');
    this.#endHpa = baseHpa + lengthBytes;
    this.#nextLarge = Math.ceil(baseHpa / PAGE_2M_BYTES) * PAGE_2M_BYTES;
    this.#splitNext = baseHpa;
    this.#splitEnd = Math.min(this.#nextLarge, this.#endHpa);
  }

  visitState(state: StateVisitor): void {
    this.#nextLarge = state.number('nextLarge', this.#nextLarge);
    this.#splitNext = state.number('splitNext', this.#splitNext);
    this.#splitEnd = state.number('splitEnd', this.#splitEnd);
    this.#freeLarge = state.numbers('freeLarge', this.#freeLarge);
    this.#freeSmall = state.numbers('freeSmall', this.#freeSmall);
  }

  /** HPA of a free 4 KiB page. Throws OutOfHostMemory. */
  take4K(): number {
    const freed = this.#freeSmall.pop();
    if (freed !== undefined) return freed;
    if (this.#splitNext === this.#splitEnd) this.#split();
    const hpa = this.#splitNext;
    this.#splitNext += PAGE_4K_BYTES;
    return hpa;
  }

  /** HPA of a free 2 MiB page, aligned; undefined when there is none left. */
  tryTake2M(): number | undefined {
    const freed = this.#freeLarge.pop();
    if (freed !== undefined) return freed;
    if (this.#nextLarge + PAGE_2M_BYTES > this.#endHpa) return undefined;
    const hpa = this.#nextLarge;
    this.#nextLarge += PAGE_2M_BYTES;
    return hpa;
  }

  give4K(hpa: number): void {
    this.#freeSmall.push(hpa);
  }

  give2M(hpa: number): void {
    this.#freeLarge.push(hpa);
  }

  #split(): void {
    const large = this.tryTake2M();
    if (large !== undefined) {
      this.#splitNext = large;
      this.#splitEnd = large + PAGE_2M_BYTES;
      return;
    }
    if (this.#nextLarge >= this.#endHpa)
      throw new OutOfHostMemory(`the host has no free page below ${hex(this.#endHpa)}: give it more memory`);
    this.#splitNext = this.#nextLarge;
    this.#splitEnd = this.#nextLarge = this.#endHpa;
  }
}
