/** Busy locks and interrupted leaves as often as somebody asks for, drawn from the run's seed. */
import type { Contention } from '../seam/index.ts';
import { SeededEntropy } from './entropy.ts';

export interface ContentionRates {
  /** of a thousand locks that a TDCALL leaf wants, so many are busy */
  readonly busyPerMille: number;
  /** of a thousand points where an interrupt for the host may end a leaf, so many do */
  readonly interruptedPerMille: number;
}

/** not the number of any processor */
const STREAM = 0x6c6f_636b;
const PER_MILLE = 1000;

export class SeededContention implements Contention {
  readonly #entropy: SeededEntropy;
  readonly #rates: ContentionRates;

  constructor(seed: number, rates: ContentionRates) {
    this.#entropy = new SeededEntropy(seed, STREAM);
    this.#rates = rates;
  }

  lockIsBusy(): boolean {
    return this.#draw() < this.#rates.busyPerMille;
  }

  interruptIsPending(): boolean {
    return this.#draw() < this.#rates.interruptedPerMille;
  }

  #draw(): number {
    return (this.#entropy.next32() >>> 0) % PER_MILLE;
  }
}
