/** Page tables for bare processors under test. */
import type { HostMemory } from '../../src/memory/index.ts';

const PAGE = 4096;

/** Bits of a page table entry. */
export const Pte = { Present: 1n, Write: 2n, User: 4n, NoExecute: 1n << 63n } as const;

/** Page tables by linear address, in host memory. */
export class AddressSpace {
  readonly #memory: HostMemory;
  #free: number;
  readonly root: number;

  constructor(memory: HostMemory) {
    this.#memory = memory;
    this.#free = memory.ramBase;
    this.root = this.#page();
  }

  #page(): number {
    const page = this.#free;
    this.#free += PAGE;
    return page;
  }

  #table(table: number, index: number): number {
    const at = table + index * 8;
    const entry = this.#memory.view.getBigUint64(at, true);
    if ((entry & Pte.Present) !== 0n) return Number(entry & 0xf_ffff_ffff_f000n);
    const made = this.#page();
    this.#memory.view.setBigUint64(at, BigInt(made) | Pte.Present | Pte.Write | Pte.User, true);
    return made;
  }

  /** Maps memory, fresh or that of another range, at a linear address below 2^39; returns its host address. */
  map(linear: number, bytes: number, rights: bigint, host = this.#free): number {
    const pages = Math.ceil(bytes / PAGE);
    if (host === this.#free) this.#free += pages * PAGE;
    for (let i = 0; i < pages; i++)
      this.#memory.view.setBigUint64(
        this.entry(linear + i * PAGE),
        BigInt(host + i * PAGE) | Pte.Present | rights,
        true,
      );
    return host;
  }

  /** Host address of the page table entry of a linear address. */
  entry(linear: number): number {
    const page = Math.floor(linear / PAGE);
    let table = this.#table(this.root, 0);
    table = this.#table(table, (page >>> 18) & 511);
    table = this.#table(table, (page >>> 9) & 511);
    return table + (page & 511) * 8;
  }
}
