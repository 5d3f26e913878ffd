/** Guests that break one rule each, and their twins that keep it. */
import type { ContractTd } from './contract-guest.ts';
import { hltInterruptRule } from './hlt-interrupt-rule.ts';
import { mapGpaRetryDropped } from './map-gpa-retry-dropped.ts';
import { pageAcceptedTwice, pageUsedBeforeAccept } from './page-used-before-accept.ts';
import { privatePageUsedAsShared } from './private-page-used-as-shared.ts';
import { reservedBits } from './reserved-bits.ts';
import { sharedPageUsedAsPrivate } from './shared-page-used-as-private.ts';
import { veBeforeFetch } from './ve-before-fetch.ts';

export type { ContractHelper, ContractTd } from './contract-guest.ts';
export { HELPER, helper } from './helper.ts';
export { CONTRACT_HELPERS } from './helpers.ts';

export const CONTRACT_TDS: readonly ContractTd[] = [
  reservedBits,
  sharedPageUsedAsPrivate,
  privatePageUsedAsShared,
  pageUsedBeforeAccept,
  pageAcceptedTwice,
  mapGpaRetryDropped,
  veBeforeFetch,
  hltInterruptRule,
];
