/** Metadata field identifiers. Source: TDX Module 1.5 ABI Definition, "MD_FIELD_ID". */

/** Bits of the upper half that must be zero when one element is asked for: reserved ones, last element, last field. */
const MUST_BE_ZERO_HIGH = 0x4083_fffc;
const CODE_MASK = 0xff_ffff;
const CLASS_SHIFT = 24;
const CONTEXT_MASK_HIGH = 0x70_0000;
const CONTEXT_MASK = 7n << 52n;
const INCREMENT_SIZE = 1n << 50n;

/** The id that asks for the first field, and that says there is no next one. */
export const ALL_ONES = 0xffff_ffff_ffff_ffffn;

/** What identifies an element when one is asked for: class 61:56 and code 23:0 of an id in halves. -1 if the id is malformed. */
export function fieldKey(low: number, high: number): number {
  return (low & ~CODE_MASK) !== 0 || (high & MUST_BE_ZERO_HIGH) !== 0 ? -1 : keyOf(low, high);
}

/** As fieldKey, of an id that begins a sequence: reserved bits and counts are not looked at. */
export function keyOf(low: number, high: number): number {
  return ((high >>> CLASS_SHIFT) & 0x3f) * 0x100_0000 + (low & CODE_MASK);
}

/** All ones, whatever the context. */
export function isNullId(low: number, high: number): boolean {
  return (low | 0) === -1 && (high | CONTEXT_MASK_HIGH) === -1;
}

/** Bytes of one element. */
export function elementBytes(id: bigint): number {
  return 1 << Number((id >> 32n) & 3n);
}

/** How far apart the codes of two elements are. */
export function codeStride(id: bigint): number {
  return (id & INCREMENT_SIZE) === 0n ? 1 : 2;
}

/** An id with the context and code of another place, everything else as it was. */
export function withCode(id: bigint, context: bigint, code: number): bigint {
  return (id & ~(CONTEXT_MASK | BigInt(CODE_MASK))) | (context & CONTEXT_MASK) | BigInt(code);
}

/** The header of a sequence of `fields` fields with `elements` elements each that begins at `id`. */
export function sequenceHeader(id: bigint, elements: number, fields: number): bigint {
  return id | (BigInt(elements - 1) << 34n) | (BigInt(fields - 1) << 38n);
}
