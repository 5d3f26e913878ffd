/** Bytes that need not lie in memory as a whole, such as those of a large file. */

/** They are read where they are wanted. */
export interface StoredBytes {
  readonly length: number;
  /** Those from `start` to before `end`, which does not lie behind the last; good until others are read. */
  read(start: number, end: number): Uint8Array;
}

export type Bytes = Uint8Array | StoredBytes;

/** What is handed out at once when all are gone through: more than a page, less than a processor's cache. */
const PIECE_BYTES = 1 << 18;
const NOTHING = new Uint8Array();

/** Those from `start` to before `end`, of which some may be missing at the end; good until others are read. */
export function readBytes(bytes: Bytes, start: number, end: number): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes.subarray(start, end);
  return start < bytes.length ? bytes.read(start, Math.min(end, bytes.length)) : NOTHING;
}

/** A part as bytes of its own; nothing is read for it. */
export function partOf(bytes: Bytes, start: number, end: number): Bytes {
  if (bytes instanceof Uint8Array) return bytes.subarray(start, end);
  return { length: end - start, read: (from, to) => bytes.read(start + from, start + to) };
}

/** All of them, in order; a piece is good until the next. */
export function* piecesOf(bytes: Bytes): Generator<Uint8Array> {
  if (bytes instanceof Uint8Array) yield bytes;
  else
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) yield readBytes(bytes, start, start + PIECE_BYTES);
}

/** All of them, to keep. */
export function wholeOf(bytes: Bytes): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  const whole = new Uint8Array(bytes.length);
  let at = 0;
  for (const piece of piecesOf(bytes)) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
