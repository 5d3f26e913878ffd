/** The table of rules. */

import type { CheckRule } from '../events.ts';
import { hltInterruptRule } from './hlt-interrupt-rule.ts';
import { mapGpaRetryDropped } from './map-gpa-retry-dropped.ts';
import { pageAcceptedTwice } from './page-accepted-twice.ts';
import { pageUsedBeforeAccept } from './page-used-before-accept.ts';
import { privatePageUsedAsShared } from './private-page-used-as-shared.ts';
import { reservedBits } from './reserved-bits.ts';
import { sharedPageUsedAsPrivate } from './shared-page-used-as-private.ts';
import { veBeforeFetch } from './ve-before-fetch.ts';

export const RULES: readonly CheckRule[] = [
  reservedBits,
  sharedPageUsedAsPrivate,
  privatePageUsedAsShared,
  pageUsedBeforeAccept,
  pageAcceptedTwice,
  mapGpaRetryDropped,
  veBeforeFetch,
  hltInterruptRule,
];
