/** Present second-level entries that a processor has seen, direct-mapped; in linear memory, where generated code finds them too. */
import type { HostMemory } from '../../memory/index.ts';
import { Access, type SecondLevel } from '../second-level.ts';

export const SECOND_LEVEL_SLOTS = 4096;
/** f64 guest physical page address, -1 = empty; u32 entry; 4 bytes unused */
export const SECOND_LEVEL_SLOT_BYTES = 16;
/** Slots that are filled together. */
const GROUP = 8;
const EVERYTHING = Access.Read | Access.Write | Access.Execute;

export class SecondLevelCache {
  /** offset of the slots in linear memory */
  readonly base: number;
  readonly #f64: Float64Array;
  readonly #i32: Int32Array;

  constructor(memory: HostMemory) {
    const bytes = SECOND_LEVEL_SLOTS * SECOND_LEVEL_SLOT_BYTES;
    this.base = memory.reserveProcessorArea(bytes);
    this.#f64 = new Float64Array(memory.wasm.buffer, this.base, bytes / 8);
    this.#i32 = new Int32Array(memory.wasm.buffer, this.base, bytes / 4);
    this.forget();
  }

  forget(): void {
    this.#f64.fill(-1);
  }

  /** Entry of a guest physical page; `pageLow`: the low 32 bits of its address. */
  lookup(secondLevel: SecondLevel, page: number, pageLow: number): number {
    const slot = (pageLow >>> 12) & (SECOND_LEVEL_SLOTS - 1);
    if (this.#f64[slot * 2] === page) return this.#i32[slot * 4 + 2]!;
    // neighbours are often wanted next
    const first = slot & -GROUP;
    const firstPage = page - (slot - first) * 4096;
    for (let i = 0; i < GROUP; i++) this.#keep(first + i, firstPage + i * 4096, secondLevel);
    return secondLevel.lookup(page);
  }

  /** Absent entries are looked up anew each time, as EPT never caches them. */
  #keep(slot: number, page: number, secondLevel: SecondLevel): void {
    const entry = secondLevel.lookup(page);
    if ((entry & EVERYTHING) === 0) return;
    this.#f64[slot * 2] = page;
    this.#i32[slot * 4 + 2] = entry;
  }
}
