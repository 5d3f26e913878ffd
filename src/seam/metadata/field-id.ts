/** Metadata field identifiers. Source: TDX Module 1.5 ABI Definition, "MD_FIELD_ID". */

/** Bits that must be zero when one element is asked for: reserved ones, last element, last field. */
const MUST_BE_ZERO = 0x4083_fffc_ff00_0000n;

/** What identifies a field when one element is asked for: class 61:56 and code 23:0. -1 if the id is malformed. */
export function fieldKey(id: bigint): number {
  if ((id & MUST_BE_ZERO) !== 0n) return -1;
  return Number((id >> 56n) & 0x3fn) * 0x100_0000 + Number(id & 0xff_ffffn);
}

/** As fieldKey, of an id in halves. */
export function fieldKeyOfHalves(low: number, high: number): number {
  if ((low & 0xff00_0000) !== 0 || (high & 0x4083_fffc) !== 0) return -1;
  return ((high >>> 24) & 0x3f) * 0x100_0000 + (low & 0xff_ffff);
}

/** The id that asks for the first field, and that says there is no next one. */
export const ALL_ONES = 0xffff_ffff_ffff_ffffn;
