/** The way back: snapshots of a run, and what was typed since. With them every earlier position can be reached by living it again. */
import { SnapshotError } from '../../bits/index.ts';
import { MemorySnapshot, type TdxPlatform } from '../../machine/index.ts';

/** Snapshots are at least so many steps apart, ... */
const SHORTEST_STEPS = 2_000_000;
/** ... and so many for each byte that one holds: looking back shall not cost more than going on. */
const STEPS_PER_BYTE = 2;
const MOST_BYTES = 2 ** 30;
const MOST_SNAPSHOTS = 16;

/** A moment that can be restored. */
export interface Kept {
  /** of all processors together, and of each */
  readonly position: number;
  readonly positions: readonly number[];
  /** inputs given before it */
  readonly inputs: number;
  readonly snapshot: MemorySnapshot;
  readonly takeBack: () => void;
}

interface Input {
  readonly position: number;
  readonly give: () => void;
}

export class History {
  readonly #platform: TdxPlatform;
  readonly #keep: () => () => void;
  readonly #inputs: Input[] = [];
  #kept: Kept[] = [];
  #apartSteps = SHORTEST_STEPS;

  /** @param keep notes what is not the platform's and changes with the run; returns how that is taken back */
  constructor(platform: TdxPlatform, keep: () => () => void) {
    this.#platform = platform;
    this.#keep = keep;
  }

  /** The first position that can be reached; undefined: none. */
  get first(): Kept | undefined {
    return this.#kept[0];
  }

  /** Keeps this moment, unless one is near or it cannot be kept. To be called where a run has ended by itself, not in the middle of a straight line. */
  consider(position: number, positions: readonly number[]): void {
    const last = this.#kept.at(-1);
    if (last !== undefined && position < last.position + this.#apartSteps) return;
    let snapshot: MemorySnapshot;
    try {
      snapshot = new MemorySnapshot(this.#platform);
    } catch (error) {
      if (error instanceof SnapshotError) return; // a little later, then
      throw error;
    }
    this.#kept.push({ position, positions, inputs: this.#inputs.length, snapshot, takeBack: this.#keep() });
    this.#apartSteps = Math.max(this.#apartSteps, SHORTEST_STEPS, snapshot.lengthBytes * STEPS_PER_BYTE);
    const bytes = this.#kept.reduce((sum, one) => sum + one.snapshot.lengthBytes, 0);
    if (this.#kept.length <= MOST_SNAPSHOTS && bytes <= MOST_BYTES) return;
    this.#apartSteps *= 2;
    this.#kept = this.#kept.filter((_, index) => index % 2 === 0);
  }

  /** The latest moment that fulfils a condition. */
  last(isEarly: (kept: Kept) => boolean): Kept | undefined {
    return this.#kept.findLast(isEarly);
  }

  restore(kept: Kept): void {
    kept.snapshot.restore(this.#platform);
    kept.takeBack();
  }

  /** Something came from outside at this position. What was given at later ones has not happened any more. */
  note(position: number, give: () => void): void {
    while ((this.#inputs.at(-1)?.position ?? 0) > position) this.#inputs.pop();
    this.#kept = this.#kept.filter((kept) => kept.position <= position);
    this.#inputs.push({ position, give });
  }

  input(index: number): Input | undefined {
    return this.#inputs[index];
  }
}
