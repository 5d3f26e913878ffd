/**
 * An 8254 whose counters do not count. A guest that calibrates its TSC against counter 2 sees it stand at 0 and gives up
 * at once; absent ports (all ones) would keep it polling for a hundred thousand exits.
 */
import type { StateVisitor } from '../../bits/index.ts';
import type { Device } from '../device.ts';
import { Port, SystemControlB } from './spec.ts';

export class PitStopped implements Device {
  read(offset: number): number {
    return offset === Port.Control ? 0xff : 0;
  }

  write(): void {}
}

/** System control port B, beside the timer: keeps the gate bits, toggles refresh, never shows counter 2's output. */
export class SystemControlPortB implements Device {
  #value = 0;

  visitState(state: StateVisitor): void {
    this.#value = state.number('value', this.#value);
  }

  read(): number {
    this.#value ^= SystemControlB.refresh;
    return this.#value;
  }

  write(_offset: number, _sizeBytes: number, value: number): void {
    this.#value = (this.#value & SystemControlB.refresh) | (value & SystemControlB.writable);
  }
}
