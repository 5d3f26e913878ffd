/** The table of rules. */

import type { CheckRule } from '../events.ts';
import { bareTrap } from './bare-trap.ts';
import { calleeSavedClobbered } from './callee-saved-clobbered.ts';
import { doubleFetch } from './double-fetch.ts';
import { flagsNotRestored } from './flags-not-restored.ts';
import { hltInterruptRule } from './hlt-interrupt-rule.ts';
import { hostRegisterKept } from './host-register-kept.ts';
import { hostRegisterUsed } from './host-register-used.ts';
import { mapGpaRetryDropped } from './map-gpa-retry-dropped.ts';
import { mechanismFailureSwallowed } from './mechanism-failure-swallowed.ts';
import { mechanismStatusIgnored } from './mechanism-status-ignored.ts';
import { pageAcceptedTwice } from './page-accepted-twice.ts';
import { pageUsedBeforeAccept } from './page-used-before-accept.ts';
import { privatePageUsedAsShared } from './private-page-used-as-shared.ts';
import { reservedBits } from './reserved-bits.ts';
import { serviceStatusIgnored } from './service-status-ignored.ts';
import { sharedPageUsedAsPrivate } from './shared-page-used-as-private.ts';
import { stackUnbalanced } from './stack-unbalanced.ts';
import { staleRegisterExposed } from './stale-register-exposed.ts';
import { unboundedResult } from './unbounded-result.ts';
import { veBeforeFetch } from './ve-before-fetch.ts';

export const RULES: readonly CheckRule[] = [
  staleRegisterExposed,
  hostRegisterUsed,
  hostRegisterKept,
  mechanismStatusIgnored,
  mechanismFailureSwallowed,
  bareTrap,
  serviceStatusIgnored,
  calleeSavedClobbered,
  stackUnbalanced,
  flagsNotRestored,
  unboundedResult,
  doubleFetch,
  reservedBits,
  sharedPageUsedAsPrivate,
  privatePageUsedAsShared,
  pageUsedBeforeAccept,
  pageAcceptedTwice,
  mapGpaRetryDropped,
  veBeforeFetch,
  hltInterruptRule,
];
