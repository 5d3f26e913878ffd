/** Number helpers without a home of their own. */

/** "0x" and lower-case hex, at least `digits` long; signed 32-bit numbers print as unsigned. */
export function hex(value: number | bigint, digits = 1): string {
  const unsigned = typeof value === 'number' && value < 0 ? value >>> 0 : value;
  return `0x${unsigned.toString(16).padStart(digits, '0')}`;
}

/** Stops with one sentence when something that cannot be false is false. */
export function invariant(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${sentence}`);
}

/** Two 32-bit halves as an unsigned 64-bit bigint. */
export function join64(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** Copies of rows that all have the same members in the same order, undefined where a row lacks one: V8 finds members of many shapes only by a search. */
export function ofOneShape<Row extends object>(rows: readonly Row[]): Row[] {
  const members = Object.fromEntries(rows.flatMap(Object.keys).map((name) => [name, undefined]));
  return rows.map((row) => ({ ...members, ...row }));
}

/** Is `words[start, end)` nothing but zeros? */
export function isZero(words: Int32Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (words[i] !== 0) return false;
  return true;
}

/** The same bytes, all of them. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
export {
  type NumericArray,
  SnapshotError,
  type Stateful,
  StateReader,
  type StateTree,
  type StateValue,
  type StateVisitor,
  StateWriter,
} from './saved-state.ts';
export { type Bytes, partOf, piecesOf, readBytes, type StoredBytes, wholeOf } from './stored-bytes.ts';
