/** An interrupt or an exception that the guest is given. */
import type { StateVisitor } from '../bits/index.ts';

export interface GuestEvent {
  readonly vector: number;
  /** one of `EventType` */
  readonly type: number;
  readonly errorCode: number | undefined;
  /** bytes of the instruction that a software event returns behind */
  readonly instructionLength: number;
}

/** Takes part in snapshots with the event that the next run begins with, if there is one; returns it, or what the snapshot has in its place. */
export function visitInjected(state: StateVisitor, event: GuestEvent | undefined): GuestEvent | undefined {
  const vector = state.number('injectedVector', event?.vector ?? -1);
  const type = state.number('injectedType', event?.type ?? 0);
  const instructionLength = state.number('injectedLength', event?.instructionLength ?? 0);
  const hasErrorCode = state.flag('injectedHasErrorCode', event?.errorCode !== undefined);
  const errorCode = state.number('injectedErrorCode', event?.errorCode ?? 0);
  if (vector < 0) return undefined;
  return { vector, type, errorCode: hasErrorCode ? errorCode : undefined, instructionLength };
}
