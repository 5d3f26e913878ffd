/** What the engine asks a region compiler. */

/** What is known of a page offset. */
export const Known = {
  /** no instruction has been decoded there: a branch to it has never been taken */
  Nothing: 0,
  Decoded: 1,
  /** decoded, and jumps have gone there */
  Entered: 3,
  /** what is there stays with the interpreter */
  KeepOut: 2,
} as const;

/** A hot place of 64-bit code. */
export interface RegionRequest {
  readonly id: number;
  /** tells pages apart: requests of one place may share a region */
  readonly place: number;
  /** the 4096 bytes of its page */
  readonly page: Uint8Array;
  /** a `Known` per page offset */
  readonly known: Uint8Array;
  readonly pageOffset: number;
  /** vector states (bits of `VectorState`) whose instructions fault there */
  readonly forbidden: number;
}
