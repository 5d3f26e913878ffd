/** The run's entropy: a small fast counter-based generator (Chris Doty-Humphrey's sfc32), a stream of its own for each processor. */
import type { StateVisitor } from '../bits/index.ts';
import type { EntropySource } from '../cpu/index.ts';

const WARM_UP_ROUNDS = 16;

export class SeededEntropy implements EntropySource {
  #a: number;
  #b: number;
  #c = 0x9e37_79b9;
  #counter = 1;

  /** @param seed of the run, an integer below 2^53 @param stream which of its streams */
  constructor(seed: number, stream: number) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 0x1_0000_0000) ^ Math.imul(stream + 1, 0x85eb_ca6b);
    for (let i = 0; i < WARM_UP_ROUNDS; i++) this.next32();
  }

  visitState(state: StateVisitor): void {
    this.#a = state.number('a', this.#a);
    this.#b = state.number('b', this.#b);
    this.#c = state.number('c', this.#c);
    this.#counter = state.number('counter', this.#counter);
  }

  next32(): number {
    const result = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result;
  }
}
