/** How long each turn of a vCPU lasts where several want to run: drawn from the run's seed, so another seed is another schedule. */
import type { StateVisitor } from '../bits/index.ts';
import { SeededEntropy } from './entropy.ts';

const SHORTEST_TICKS = 40_000;
/** a power of two, so that a draw is a mask */
const SPREAD_TICKS = 0x1_0000;
/** not the number of any processor */
const STREAM = 0x7475_726e;

export class SeededTurns {
  readonly #entropy: SeededEntropy;

  constructor(seed: number) {
    this.#entropy = new SeededEntropy(seed, STREAM);
  }

  visitState(state: StateVisitor): void {
    this.#entropy.visitState(state);
  }

  /** Ticks of the next turn: 40 to 106 microseconds. */
  readonly next = (): number => SHORTEST_TICKS + (this.#entropy.next32() & (SPREAD_TICKS - 1));
}
