/**
 * Where jumps of regions went lately, for generated code: linear addresses, and what the code TLB and a table of records gave for them. An entry holds as long
 * as nothing has changed of what gave it; whatever changes any of that, for any processor, has all of them forget.
 */
import type { HostMemory } from '../../memory/index.ts';
import { RECORD_BYTES } from './record.ts';

const JUMP_CACHE_ENTRIES = 2048;
export const JUMP_CACHE_BYTES = JUMP_CACHE_ENTRIES * RECORD_BYTES;
/** Byte offset in an entry of the linear address, an i64. Otherwise it is a block head as a region reads it (`R`). */
export const JUMP_TAG = 8;
/** The entry of a linear address: its low half, xor itself shifted right by so much, ... */
export const JUMP_MIX_SHIFT = 10;
/** ... shifted left by so much, and masked. */
export const JUMP_INDEX_SHIFT = 5;
export const JUMP_INDEX_MASK = JUMP_CACHE_BYTES - RECORD_BYTES;
/** Entries that are forgotten one by one; when more were filled, all are gone through. */
export const JUMP_FILLS = 1023;

/** User and supervisor; which address space they are of, whatever changes it says by `JumpCaches.forget`. */
const CONTEXTS = 2;
/** u32 number of entries filled since the last time, then the offset of each as far as there is room */
const FILLS_BYTES = (JUMP_FILLS + 1) * 4;

/** The jump caches of one processor. */
export interface JumpCachePair {
  /** absolute offset of that for user mode; that of the supervisor follows */
  readonly caches: number;
  /** absolute offset of the list of entries that are filled */
  readonly fills: number;
}

/** All jump caches of an engine. */
export class JumpCaches {
  readonly #memory: HostMemory;
  readonly #i32: Int32Array;
  readonly #pairs: JumpCachePair[] = [];

  constructor(memory: HostMemory) {
    this.#memory = memory;
    this.#i32 = memory.i32;
  }

  /** Makes those of one more processor. */
  add(): JumpCachePair {
    const fills = this.#memory.reserveProcessorArea(FILLS_BYTES);
    const pair = { fills, caches: this.#memory.reserveProcessorArea(JUMP_CACHE_BYTES * CONTEXTS) };
    this.#pairs.push(pair);
    // the rest is 0 already
    for (let context = 0; context < CONTEXTS; context++) this.#drop(pair, pair.caches + context * JUMP_CACHE_BYTES);
    return pair;
  }

  /** A translation, an entry of a table of records or a block head has changed: no entry holds any more. */
  forget(): void {
    for (let i = 0; i < this.#pairs.length; i++) {
      const pair = this.#pairs[i]!;
      const count = this.#i32[pair.fills >> 2]!;
      if (count === 0) continue;
      if (count > JUMP_FILLS) this.#dropAll(pair);
      else for (let k = 1; k <= count; k++) this.#drop(pair, this.#i32[(pair.fills >> 2) + k]!);
      this.#i32[pair.fills >> 2] = 0;
    }
  }

  #dropAll(pair: JumpCachePair): void {
    for (let at = 0; at < JUMP_CACHE_BYTES * CONTEXTS; at += RECORD_BYTES) this.#drop(pair, pair.caches + at);
  }

  /** Gives an entry the address 0, or 1, whichever belongs to another entry. */
  #drop({ caches }: JumpCachePair, entry: number): void {
    this.#i32[(entry + JUMP_TAG) >> 2] = ((entry - caches) & JUMP_INDEX_MASK) === 0 ? 1 : 0;
  }
}
