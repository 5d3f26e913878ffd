/** What a device is to the rest of the machine: two methods, and no idea where it lives. */
import type { Stateful } from '../bits/index.ts';

export interface Device extends Partial<Stateful> {
  /**
   * Reads 1, 2 or 4 bytes at `offset` from the start of the device's window; little-endian, unsigned.
   * A device never fails: what it does not have reads as the data sheet says, or as all ones.
   */
  read(offset: number, sizeBytes: number): number;
  write(offset: number, sizeBytes: number, value: number): void;
}

/** An interrupt output: called with the level after every access that may have changed it. Who listens looks for the rising edge. */
export type InterruptLine = (asserted: boolean) => void;

/** What reads of `sizeBytes` return where nothing answers. */
export function allOnes(sizeBytes: number): number {
  return sizeBytes >= 4 ? 0xffff_ffff : 2 ** (8 * sizeBytes) - 1;
}
