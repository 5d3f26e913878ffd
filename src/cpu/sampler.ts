/** Looks at a processor every so many of its instructions. */
import type { LogicalProcessor } from './processor.ts';

export class Sampler {
  readonly #instructions: number;
  readonly #look: (processor: LogicalProcessor) => void;
  /** instructions of the processor after which it is looked at next */
  nextAt: number;

  constructor(instructions: number, look: (processor: LogicalProcessor) => void) {
    this.#instructions = instructions;
    this.#look = look;
    this.nextAt = instructions;
  }

  /** @param retired instructions of the processor so far */
  sample(processor: LogicalProcessor, retired: number): void {
    this.nextAt = retired + this.#instructions;
    this.#look(processor);
  }
}
