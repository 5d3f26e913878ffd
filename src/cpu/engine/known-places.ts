/**
 * Where jumps have entered pages of 64-bit code, by what a page held when it became code: another run decodes these places when it meets the page, instead
 * of one by one, each when a jump first asks for it. Nothing depends on their being right: what no jump comes to is decoded in vain.
 */
import type { HostMemory } from '../../memory/index.ts';

const PAGE_WORDS = 1024;
/** Of the words of a page, the first of so many tells pages apart: those that are as much alike as that may share what is known. */
const SAMPLE_WORDS = 64;
/** Places that are kept at most, so that a file does not grow with each run. */
const MOST_PLACES = 1 << 18;
/** of what is kept, for each page: its key and how many offsets follow */
const HEADER_BYTES = 6;
const NONE = new Uint16Array();

export class KnownPlaces {
  readonly #i32: Int32Array;
  /** of an earlier run, by key */
  #earlier: Map<number, Uint16Array> | undefined;
  #kept: Uint8Array | undefined;
  /** of this run, by key */
  readonly #seen = new Map<number, Set<number>>();

  constructor(memory: HostMemory) {
    this.#i32 = memory.i32;
  }

  /** What pages like this one are known by, as code in which the vector states `forbidden` fault. */
  keyOf(hostPage: number, forbidden: number): number {
    const i32 = this.#i32;
    const first = hostPage >> 2;
    let key = forbidden;
    for (let word = 0; word < PAGE_WORDS; word += SAMPLE_WORDS)
      key = Math.imul(key ^ i32[first + word]!, 0x9e37_79b1) ^ (key >>> 15);
    return key;
  }

  /** Page offsets, in their order, at which an earlier run has entered pages with this key. */
  of(key: number): Uint16Array {
    this.#earlier ??= this.#kept === undefined ? new Map() : parse(this.#kept);
    return this.#earlier.get(key) ?? NONE;
  }

  /** A page with this key has been entered at a page offset. */
  note(key: number, offset: number): void {
    const seen = this.#seen.get(key);
    if (seen === undefined) this.#seen.set(key, new Set([offset]));
    else seen.add(offset);
  }

  /** Takes what `kept` has given. */
  restore(kept: Uint8Array): void {
    this.#kept = kept;
  }

  /** What another run can start with: what this one has seen, and what it has started with itself. */
  kept(): Uint8Array {
    this.of(0);
    const pages = new Map([...this.#seen].map(([key, seen]) => [key, new Set([...seen, ...this.of(key)])]));
    for (const [key, offsets] of this.#earlier!) if (!pages.has(key)) pages.set(key, new Set(offsets));
    let places = 0;
    const pieces: Uint8Array[] = [];
    for (const [key, offsets] of pages) {
      places += offsets.size;
      if (places > MOST_PLACES) break;
      const piece = new Uint8Array(HEADER_BYTES + offsets.size * 2);
      const view = new DataView(piece.buffer);
      view.setInt32(0, key, true);
      view.setUint16(4, offsets.size, true);
      [...offsets]
        .sort((a, b) => a - b)
        .forEach((offset, i) => {
          view.setUint16(HEADER_BYTES + i * 2, offset, true);
        });
      pieces.push(piece);
    }
    return joined(pieces);
  }
}

function parse(kept: Uint8Array): Map<number, Uint16Array> {
  const view = new DataView(kept.buffer, kept.byteOffset, kept.length);
  const pages = new Map<number, Uint16Array>();
  for (let at = 0; at < kept.length; ) {
    const offsets = new Uint16Array(view.getUint16(at + 4, true));
    for (let i = 0; i < offsets.length; i++) offsets[i] = view.getUint16(at + HEADER_BYTES + i * 2, true);
    pages.set(view.getInt32(at, true), offsets);
    at += HEADER_BYTES + offsets.length * 2;
  }
  return pages;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
