/**
 * What other processors and the host do to a module that is at work. Here SEAMCALLs and guests take turns, so by themselves locks are
 * never busy and nothing interrupts a leaf; who wants to see it brings one of these.
 */
export interface Contention {
  /** Does somebody else hold the lock that a leaf wants now? */
  lockIsBusy(): boolean;
  /** Does an interrupt for the host wait at this interruption point? */
  interruptIsPending(): boolean;
}
