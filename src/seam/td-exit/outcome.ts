/** What a handler of an exit or of a TDCALL leaf returns beside completion codes. */

/** Stay in the TD: what was to be done is done; RIP is where it belongs. No completion code is negative. */
export const STAY = -1;
