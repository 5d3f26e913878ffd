/** What the processor leaves for the handler of #VE (SDM vol. 3, "Virtualization-Exception Information"). */
import type { ExitRecord } from './exit.ts';

export const VECTOR_VE = 20;

export class VirtualizationExceptionInformation {
  /** the handler has not read the last one yet; while set no further #VE is delivered for an EPT violation */
  valid = false;
  exitReason = 0;
  qualificationLow = 0;
  qualificationHigh = 0;
  guestLinearLow = 0;
  guestLinearHigh = 0;
  /** guest physical address, a number below 2^52 */
  guestPhysical = 0;
  eptpIndex = 0;

  /** Takes over a convertible EPT violation from the exit record. Returns false, changing nothing, while the last one is unread: then the exit stands. */
  capture(exit: ExitRecord): boolean {
    if (this.valid) return false;
    this.valid = true;
    this.exitReason = exit.reason;
    this.qualificationLow = exit.qualificationLow;
    this.qualificationHigh = exit.qualificationHigh;
    this.guestLinearLow = exit.guestLinearLow;
    this.guestLinearHigh = exit.guestLinearHigh;
    this.guestPhysical = exit.guestPhysical;
    return true;
  }
}
