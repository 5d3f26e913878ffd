/** The library call behind `seamulator decode`: a number, a name or the bytes of a file. */

import { hex } from '../../bits/index.ts';
import type { Decoded } from './decoded.ts';
import { NUMBER_KINDS, type NumberKind } from './kinds.ts';

/** Kinds in which any number would mean something: they count only where nothing else fits, or when asked for. */
const ANY_NUMBER = new Set(['attributes', 'xfam', 'config-flags', 'mask']);

function decoded(kind: NumberKind, value: bigint): Decoded | undefined {
  const what = kind.decode(value);
  return what === undefined ? undefined : { kind: kind.title, value: hex(value), ...what, source: kind.source };
}

/**
 * Everything a number can be, the likeliest first.
 * @param as id of one kind: only that
 */
export function decodeNumber(value: bigint, as?: string): Decoded[] {
  const number = BigInt.asUintN(64, value);
  if (as !== undefined) {
    const kind = NUMBER_KINDS.find(({ id }) => id === as);
    const what = kind === undefined ? undefined : decoded(kind, number);
    return what === undefined ? [] : [what];
  }
  const exact = NUMBER_KINDS.filter(({ id, isLikely }) => !ANY_NUMBER.has(id) && isLikely?.(number) !== false).flatMap(
    (kind) => decoded(kind, number) ?? [],
  );
  if (exact.length > 0) return exact;
  const loose = NUMBER_KINDS.filter(({ id }) => ANY_NUMBER.has(id))
    .flatMap((kind) => decoded(kind, number) ?? [])
    .filter(({ parts, name }) => !`${name}${Object.values(parts).join()}`.includes('reserved'));
  return [...exact, ...loose];
}

/** Every number that has this name, in any kind: "TDX_OPERAND_INVALID", "MapGPA", "tdg.vp.info". */
export function decodeName(name: string, as?: string): Decoded[] {
  const wanted = name.toLowerCase();
  const short = wanted.replace(/^tdx_/, '');
  return NUMBER_KINDS.filter(({ id }) => as === undefined || id === as).flatMap((kind) =>
    [...(kind.names?.() ?? [])]
      .filter(([each]) => each.toLowerCase() === wanted || each.toLowerCase().replace(/^tdx_/, '') === short)
      .flatMap(([, value]) => decoded(kind, value) ?? []),
  );
}
