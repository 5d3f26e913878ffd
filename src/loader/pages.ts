/** Arithmetic of page ranges. Addresses are guest physical, plain numbers below 2^52. */
import { type Bytes, wholeOf } from '../bits/index.ts';

export const PAGE_BYTES = 4096;

export interface Range {
  readonly startGpa: number;
  /** first address after the range */
  readonly endGpa: number;
}

export interface Piece<Content extends Bytes = Uint8Array> {
  readonly startGpa: number;
  readonly content: Content;
}

export function pageFloor(address: number): number {
  return address - (address % PAGE_BYTES);
}

export function pageCeiling(address: number): number {
  return pageFloor(address + PAGE_BYTES - 1);
}

/** Pieces at any address become page-aligned ones, ascending; pieces that share a page become one. Later pieces win where they overlap. */
export function mergeIntoPages<Content extends Bytes>(
  pieces: readonly Piece<Content>[],
): Piece<Content | Uint8Array>[] {
  const merged: { startGpa: number; endGpa: number; parts: Piece<Content>[] }[] = [];
  for (const piece of [...pieces].sort((a, b) => a.startGpa - b.startGpa)) {
    const startGpa = pageFloor(piece.startGpa);
    const endGpa = pageCeiling(piece.startGpa + piece.content.length);
    const last = merged.at(-1);
    if (last && startGpa < last.endGpa) {
      last.endGpa = Math.max(last.endGpa, endGpa);
      last.parts.push(piece);
    } else merged.push({ startGpa, endGpa, parts: [piece] });
  }
  return merged.map(({ startGpa, endGpa, parts }) => {
    if (parts.length === 1 && parts[0]!.startGpa === startGpa) return parts[0]!;
    const content = new Uint8Array(endGpa - startGpa);
    for (const part of parts) content.set(wholeOf(part.content), part.startGpa - startGpa);
    return { startGpa, content };
  });
}

/** What is left of `range` when `holes` (any order) are cut out of it. */
export function subtract(range: Range, holes: readonly Range[]): Range[] {
  const left: Range[] = [];
  let startGpa = range.startGpa;
  for (const hole of [...holes].sort((a, b) => a.startGpa - b.startGpa)) {
    if (hole.endGpa <= startGpa || hole.startGpa >= range.endGpa) continue;
    if (hole.startGpa > startGpa) left.push({ startGpa, endGpa: hole.startGpa });
    startGpa = hole.endGpa;
  }
  if (startGpa < range.endGpa) left.push({ startGpa, endGpa: range.endGpa });
  return left;
}
