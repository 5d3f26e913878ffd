/** Guests that die, each in a different classic way. */
import type { CaseGuest } from './case-guest.ts';
import { eferWrite } from './efer-write.ts';
import { guestPanic } from './guest-panic.ts';
import { hltWithNothingToWakeIt } from './hlt-with-nothing-to-wake-it.ts';
import { mapGpaRetryIgnored } from './map-gpa-retry-ignored.ts';
import { rdrandAbsent } from './rdrand-absent.ts';
import { reportFatalError } from './report-fatal-error.ts';
import { sharedBitForgotten } from './shared-bit-forgotten.ts';
import { tripleFaultInEarlyBoot } from './triple-fault-in-early-boot.ts';
import { unacceptedPage } from './unaccepted-page.ts';
import { veBeforeAHandler } from './ve-before-a-handler.ts';
import { veWithinVe } from './ve-within-ve.ts';
import { wrongRcxMask } from './wrong-rcx-mask.ts';

export type { CaseGuest } from './case-guest.ts';

export const CASES: readonly CaseGuest[] = [
  unacceptedPage,
  veBeforeAHandler,
  veWithinVe,
  wrongRcxMask,
  mapGpaRetryIgnored,
  sharedBitForgotten,
  eferWrite,
  hltWithNothingToWakeIt,
  rdrandAbsent,
  tripleFaultInEarlyBoot,
  reportFatalError,
  guestPanic,
];
