/** One crossing, in the numbers of CrossingObserver. */
import type { CrossingKind } from '../probe/index.ts';

export interface Crossing {
  readonly kind: CrossingKind;
  readonly vcpuIndex: number;
  readonly code: number;
  readonly operand: number;
  readonly result: number;
  readonly rip: bigint;
  /** R10 of the answer, where the VMM has given one */
  readonly answer?: bigint;
}
