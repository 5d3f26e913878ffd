/** Metadata lists: a header and sequences of fields. Source: TDX Module 1.5 ABI Definition, "MD_LIST", "MD_SEQUENCE"; TDX module 1.5 source, metadata_generic.c. */
import { CompletionCode as Code, type CompletionCode, type ModuleVersion } from '../../abi/index.ts';
import { ALL_ONES, codeStride, keyOf, sequenceHeader } from './field-id.ts';
import type { Accessor } from './field-row.ts';
import type { FieldCursor, FieldTable } from './field-table.ts';

const WORD_BYTES = 8;
const NUM_SEQUENCES_OFFSET = 2;

/** Halves of an id. */
const halves = (id: bigint): [low: number, high: number] => [
  Number(BigInt.asIntN(32, id)),
  Number(BigInt.asIntN(32, id >> 32n)),
];
const keyOfId = (id: bigint): number => keyOf(...halves(id));

/** Does `next` continue a sequence that `cursor` is in? */
function continues<Scope>(cursor: FieldCursor<Scope>, next: FieldCursor<Scope>): boolean {
  const elements = cursor.row.elementsPerField;
  return (
    cursor.row.codes === undefined &&
    next.row.elementsPerField === elements &&
    ((cursor.id ^ next.id) & (3n << 32n)) === 0n &&
    keyOfId(next.id) === keyOfId(cursor.id) + elements * codeStride(cursor.id)
  );
}

/**
 * Fills `list` with the fields that `by` may read, from the one at id `low`, `high` on (all ones: the first). Returns SUCCESS when all
 * are in, METADATA_LIST_OVERFLOW when the list is full, METADATA_FIELD_ID_INCORRECT; `following` is the id to go on with.
 */
export function dumpList<Scope>(
  table: FieldTable<Scope>,
  version: ModuleVersion,
  scope: Scope,
  by: Accessor,
  low: number,
  high: number,
  list: DataView,
): { code: CompletionCode; following: bigint } {
  let cursor = table.fieldAt(version, by, low, high);
  if (cursor === undefined) return { code: Code.METADATA_FIELD_ID_INCORRECT, following: ALL_ONES };
  let at = WORD_BYTES;
  let sequences = 0;
  while (cursor !== undefined && at + WORD_BYTES * (1 + cursor.row.elementsPerField) <= list.byteLength) {
    const start: FieldCursor<Scope> = cursor;
    const headerAt = at;
    at += WORD_BYTES;
    let fields = 0;
    let inSequence = true;
    while (cursor !== undefined && inSequence && at + WORD_BYTES * cursor.row.elementsPerField <= list.byteLength) {
      const values: readonly bigint[] | undefined = table.readField(scope, by, cursor);
      for (const value of values ?? []) {
        list.setBigUint64(at, value, true);
        at += WORD_BYTES;
      }
      if (values !== undefined) fields++;
      const next: FieldCursor<Scope> | undefined = table.fieldAfter(version, by, cursor);
      inSequence = values !== undefined && next !== undefined && continues(cursor, next);
      cursor = next;
    }
    if (fields === 0) at = headerAt;
    else {
      list.setBigUint64(headerAt, sequenceHeader(start.id, start.row.elementsPerField, fields), true);
      sequences++;
    }
  }
  list.setBigUint64(0, 0n, true);
  list.setUint16(0, at, true);
  list.setUint16(NUM_SEQUENCES_OFFSET, sequences, true);
  return cursor === undefined
    ? { code: Code.SUCCESS, following: ALL_ONES }
    : { code: Code.METADATA_LIST_OVERFLOW, following: cursor.id };
}
