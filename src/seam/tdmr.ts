/**
 * TDMRs: the memory that TDs may have, as the host lays it out once, and how far the module has prepared it. Source: TDX Module 1.5 Base
 * Architecture, "Physical Memory Management"; ABI Definition, "TDMR_INFO"; module 1.5.01, tdh_sys_config.c.
 */
import { CompletionCode as Code, type CompletionCode } from '../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../memory/index.ts';
import { KEY_ID_SHIFT } from './key-ownership.ts';

export const MAX_TDMRS = 64;
export const MAX_RESERVED_AREAS = 16;
/** Bytes of metadata for each page of each size. */
export const PAMT_ENTRY_BYTES = 16;
export const TDMR_INFO_BYTES = 64 + MAX_RESERVED_AREAS * 16;
const GIB = 2 ** 30;
/** Bytes that one TDH.SYS.TDMR.INIT prepares. */
const INIT_STEP_BYTES = 1024 * PAGE_SIZE_BYTES;
const ADDRESS_LIMIT = 2 ** KEY_ID_SHIFT;

export interface Range {
  readonly base: number;
  readonly size: number;
}

const overlaps = (a: Range, b: Range) => a.base < b.base + b.size && b.base < a.base + a.size;
const within = (inner: Range, outer: Range) =>
  inner.base >= outer.base && inner.base + inner.size <= outer.base + outer.size;
const isAligned = ({ base, size }: Range, bytes: number) => base % bytes === 0 && size % bytes === 0;

/** Pages of a PAMT area, in the order in which the module looks at them. */
const PAMT_LEVELS = [
  { level: 2, pageBytes: GIB },
  { level: 1, pageBytes: 2 << 20 },
  { level: 0, pageBytes: PAGE_SIZE_BYTES },
] as const;

export class Tdmr implements Range {
  readonly base: number;
  readonly size: number;
  /** metadata areas, for pages of 1 GiB, 2 MiB and 4 KiB */
  readonly pamts: readonly Range[];
  /** parts of it that no TD may have; addresses are absolute */
  readonly reserved: readonly Range[];
  /** up to here it is prepared */
  #preparedEnd: number;

  constructor(base: number, size: number, pamts: readonly Range[], reserved: readonly Range[]) {
    this.base = base;
    this.size = size;
    this.pamts = pamts;
    this.reserved = reserved;
    this.#preparedEnd = base;
  }

  /** Reads TDMR_INFO. Offsets of reserved areas beyond the first of size 0 do not count. */
  static read(view: DataView): Tdmr {
    const at = (word: number) => Number(view.getBigUint64(word * 8, true));
    const range = (word: number, offset = 0): Range => ({ base: offset + at(word), size: at(word + 1) });
    const areas = Array.from({ length: MAX_RESERVED_AREAS }, (_, i) => range(8 + 2 * i, at(0)));
    const used = areas.findLastIndex(({ size }) => size !== 0) + 1;
    return new Tdmr(at(0), at(1), [range(2), range(4), range(6)], areas.slice(0, used));
  }

  /** Prepares the next piece; false if nothing is left. */
  prepare(): boolean {
    if (this.isPrepared) return false;
    this.#preparedEnd += INIT_STEP_BYTES;
    return true;
  }

  get isPrepared(): boolean {
    return this.#preparedEnd >= this.base + this.size;
  }

  /** Pages below this address, in whole GiB, may be used. */
  get usableEnd(): number {
    return this.#preparedEnd - (this.#preparedEnd % GIB);
  }

  /** What is left between the reserved areas. */
  get available(): Range[] {
    const ranges: Range[] = [];
    let base = this.base;
    for (const area of this.reserved) {
      if (area.base > base) ranges.push({ base, size: area.base - base });
      base = area.base + area.size;
    }
    const end = this.base + this.size;
    if (base < end) ranges.push({ base, size: end - base });
    return ranges;
  }
}

export interface TdmrFault {
  readonly code: CompletionCode;
  /** TDMR number 7:0, then what the code needs: page size or area number 15:8, other TDMR 23:16 */
  readonly details: number;
}

/** What is wrong with the last of `tdmrs`, beside those before it; order as in the module. `ram` is all convertible memory. */
export function tdmrFault(tdmrs: readonly Tdmr[], ram: Range): TdmrFault | undefined {
  const index = tdmrs.length - 1;
  const tdmr = tdmrs[index]!;
  const before = tdmrs.slice(0, index);
  const fault = (code: CompletionCode, second = 0, third = 0): TdmrFault => ({
    code,
    details: index | (second << 8) | (third << 16),
  });
  const last = before.at(-1);
  if (last !== undefined && tdmr.base < last.base + last.size) return fault(Code.NON_ORDERED_TDMR);
  if (!isAligned(tdmr, GIB) || tdmr.size === 0 || tdmr.base + tdmr.size > ADDRESS_LIMIT)
    return fault(Code.INVALID_TDMR);

  for (const [number, area] of tdmr.reserved.entries()) {
    const previous = tdmr.reserved[number - 1];
    if (area.size === 0) return fault(Code.NON_ORDERED_RESERVED_IN_TDMR, number);
    if (previous !== undefined && area.base < previous.base + previous.size)
      return fault(Code.NON_ORDERED_RESERVED_IN_TDMR, number);
    if (!isAligned(area, PAGE_SIZE_BYTES) || !within(area, tdmr)) return fault(Code.INVALID_RESERVED_IN_TDMR, number);
  }

  for (const [which, { level, pageBytes }] of PAMT_LEVELS.entries()) {
    const pamt = tdmr.pamts[which]!;
    const needed = (tdmr.size / pageBytes) * PAMT_ENTRY_BYTES;
    if (!isAligned(pamt, PAGE_SIZE_BYTES) || pamt.base + pamt.size > ADDRESS_LIMIT || pamt.size < needed)
      return fault(Code.INVALID_PAMT, level);
  }
  for (const [which, { level }] of [...PAMT_LEVELS.entries()].reverse()) {
    const pamt = tdmr.pamts[which]!;
    const other = before.findIndex(({ pamts }) => pamts.some((area) => overlaps(area, pamt)));
    if (other >= 0) return fault(Code.PAMT_OVERLAP, level, other);
    if (tdmr.pamts.slice(0, which).some((area) => overlaps(area, pamt))) return fault(Code.PAMT_OVERLAP, level, index);
    const covering = tdmrs.findIndex(({ available }) => available.some((area) => overlaps(area, pamt)));
    if (covering >= 0) return fault(Code.PAMT_OVERLAP, level, covering);
  }
  const wrong = before.findIndex(({ pamts }) =>
    pamts.some((pamt) => tdmr.available.some((area) => overlaps(area, pamt))),
  );
  if (wrong >= 0) return fault(Code.PAMT_OVERLAP, 0, wrong);
  for (const [which, { level }] of PAMT_LEVELS.entries())
    if (!within(tdmr.pamts[which]!, ram)) return fault(Code.PAMT_OUTSIDE_CMRS, level);
  if (tdmr.available.some((area) => !within(area, ram))) return fault(Code.TDMR_OUTSIDE_CMRS);
  return undefined;
}
