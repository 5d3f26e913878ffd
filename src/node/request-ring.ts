/** Requests on their way to the compiling thread, in shared memory: to put one costs a copy of a page and a wake-up. */
import type { RegionRequest } from '../cpu/index.ts';

const SLOTS = 128;
const PAGE_BYTES = 4096;
/** id, place, page offset, forbidden; then the page, and a byte for each of its places */
const SLOT_HEADER_BYTES = 16;
const SLOT_BYTES = SLOT_HEADER_BYTES + 2 * PAGE_BYTES;
const HEADER_BYTES = 32;

/** Words of the header. */
const Word = { put: 0, taken: 1, answers: 2, open: 3, busy: 4 } as const;

export class RequestRing {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(buffer = new SharedArrayBuffer(HEADER_BYTES + SLOTS * SLOT_BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
  }

  /** Lets the other side begin. */
  open(): void {
    Atomics.store(this.#words, Word.open, 1);
    Atomics.notify(this.#words, Word.open);
  }

  waitUntilOpen(): void {
    Atomics.wait(this.#words, Word.open, 0);
  }

  /** Requests put and not yet taken. */
  get underWay(): number {
    return this.#words[Word.put]! - Atomics.load(this.#words, Word.taken);
  }

  get answers(): number {
    return Atomics.load(this.#words, Word.answers);
  }

  /** The caller has seen that there is room. */
  put({ id, place, page, known, pageOffset, forbidden }: RegionRequest): void {
    const put = this.#words[Word.put]!;
    const at = slotAt(put);
    this.#words.set([id, place, pageOffset, forbidden], at >> 2);
    this.#bytes.set(page, at + SLOT_HEADER_BYTES);
    this.#bytes.set(known, at + SLOT_HEADER_BYTES + PAGE_BYTES);
    Atomics.store(this.#words, Word.put, put + 1);
    Atomics.notify(this.#words, Word.put);
  }

  /** Waits until there are requests, and takes up to `most`. */
  take(most: number): RegionRequest[] {
    const taken = this.#words[Word.taken]!;
    Atomics.wait(this.#words, Word.put, taken);
    const end = Math.min(Atomics.load(this.#words, Word.put), taken + most);
    const requests: RegionRequest[] = [];
    for (let i = taken; i < end; i++) {
      const at = slotAt(i);
      const [id, place, pageOffset, forbidden] = this.#words.subarray(at >> 2, (at >> 2) + 4);
      const page = this.#bytes.slice(at + SLOT_HEADER_BYTES, at + SLOT_HEADER_BYTES + PAGE_BYTES);
      const known = this.#bytes.slice(at + SLOT_HEADER_BYTES + PAGE_BYTES, at + SLOT_BYTES);
      requests.push({ id: id!, place: place!, page, known, pageOffset: pageOffset!, forbidden: forbidden! });
    }
    Atomics.store(this.#words, Word.taken, end);
    return requests;
  }

  /** How long the compiling thread has worked, milliseconds. */
  get busyMilliseconds(): number {
    return Atomics.load(this.#words, Word.busy) / 1000;
  }

  countAnswer(busyMilliseconds: number): void {
    Atomics.add(this.#words, Word.busy, Math.round(busyMilliseconds * 1000));
    Atomics.add(this.#words, Word.answers, 1);
  }
}

const slotAt = (index: number): number => HEADER_BYTES + (index % SLOTS) * SLOT_BYTES;
