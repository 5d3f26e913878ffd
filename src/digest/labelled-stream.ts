/**
 * A stream in which labels name what follows them, kept as what it is made of: content, and rows that say how it is labelled. The bytes
 * to hash are written when they are hashed, over and over into the same memory.
 */
import { type Bytes, piecesOf } from '../bits/index.ts';

/** Bytes of a label: a block of SHA-384. */
export const LABEL_BYTES = 128;
/** Where a label has the address, 8 bytes, of what it names. */
const ADDRESS_WORD = 4;
/** Memory in which the stream passes by: it stays in the processor's cache. */
const ROOM_BYTES = 1 << 16;

/** One kind of label. */
export interface Label {
  /** LABEL_BYTES; the address is filled in */
  readonly block: Uint8Array;
  /** how much content follows each */
  readonly contentBytes: number;
  /** it is all zeros, and therefore not kept */
  readonly isZero?: boolean;
}

/** Numbers of a row: which label, the first address, and how many labels in a row, each for what lies behind the one before. */
export const ROW_NUMBERS = 3;

/** A part of the stream. */
export interface LabelledPart {
  readonly rows: Float64Array;
  /** what the labels of the rows name, in their order, zeros left out */
  readonly content: Uint8Array;
}

export interface LabelledStream {
  readonly labels: readonly Label[];
  readonly parts: readonly LabelledPart[];
}

/** What can be hashed: such a stream, or bytes as they are. */
export type Hashed = LabelledStream | Bytes;

/** What a thread would have to share. */
export const contentsOf = (hashed: Hashed): readonly Bytes[] =>
  'parts' in hashed ? hashed.parts.map(({ content }) => content) : [hashed];

/** The bytes of the stream. Each piece is good until the next is asked for; all are whole blocks if all content is. */
export function* bytesOf(hashed: Hashed): Generator<Uint8Array> {
  if (!('parts' in hashed)) {
    yield* piecesOf(hashed);
    return;
  }
  const room = new Room();
  const { labels, parts } = hashed;
  for (const { rows, content } of parts) {
    let from = 0;
    for (let row = 0; row < rows.length; row += ROW_NUMBERS) {
      const label = labels[rows[row]!]!;
      for (let done = 0; done < rows[row + 2]!; ) {
        const count = Math.min(rows[row + 2]! - done, room.roomFor(label));
        if (count === 0) {
          yield room.take();
          continue;
        }
        room.put(label, rows[row + 1]! + done * label.contentBytes, count, content, from);
        if (label.isZero !== true) from += count * label.contentBytes;
        done += count;
      }
    }
  }
  yield room.take();
}

class Room {
  readonly #bytes = new Uint8Array(ROOM_BYTES);
  readonly #words = new Int32Array(this.#bytes.buffer);
  #used = 0;

  /** How many of these have room. */
  roomFor({ contentBytes }: Label): number {
    return Math.floor((ROOM_BYTES - this.#used) / (LABEL_BYTES + contentBytes));
  }

  /** Labels and what they name: content from `from` on. */
  put(
    { block, contentBytes, isZero }: Label,
    firstAddress: number,
    count: number,
    content: Uint8Array,
    from: number,
  ): void {
    const bytes = this.#bytes;
    const words = this.#words;
    for (let i = 0; i < count; i++) {
      const at = this.#used + i * (LABEL_BYTES + contentBytes);
      const address = firstAddress + i * contentBytes;
      bytes.set(block, at);
      words[at / 4 + ADDRESS_WORD] = address;
      words[at / 4 + ADDRESS_WORD + 1] = address / 0x1_0000_0000;
      const start = from + i * contentBytes;
      const to = at + LABEL_BYTES;
      if (isZero === true) bytes.fill(0, to, to + contentBytes);
      else bytes.set(content.subarray(start, start + contentBytes), to);
    }
    this.#used += count * (LABEL_BYTES + contentBytes);
  }

  /** What was put since the last time. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#used);
    this.#used = 0;
    return taken;
  }
}
