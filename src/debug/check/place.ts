/** Where something happened. */
export interface Place {
  readonly vcpu: number;
  /** linear */
  readonly rip: bigint;
  readonly instructionCount: number;
}
