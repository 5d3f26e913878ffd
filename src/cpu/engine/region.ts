/** A compiled function in use. */
export interface Region {
  readonly handler: number;
  /** nobody else uses the function */
  readonly owned: boolean;
  readonly table: number;
  /** page offset of each block */
  readonly blocks: readonly number[];
  /** [from, to) page offsets of the code that it stands for */
  readonly spans: readonly (readonly [number, number])[];
}
