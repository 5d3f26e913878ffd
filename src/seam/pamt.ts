/** PAMT: what each host page is to the module. Source: TDX Module 1.5 Base Architecture, "Physical Address Metadata Table". */

import { levelBytes, type PageLevel } from '../abi/index.ts';
import type { StateVisitor } from '../bits/index.ts';
import { HOST_KEY_ID, type HostMemory, PAGE_SIZE_BYTES } from '../memory/index.ts';

/** Page types, as TDH.PHYMEM.PAGE.RDMD and RECLAIM return them; pages of a vCPU are TDCX too. Source: TDX Module 1.5 ABI Definition, "Physical Page Type". */
export const PageType = { NDA: 0, RSVD: 1, REG: 3, TDR: 4, TDCX: 5, TDVPR: 6, EPT: 8 } as const;
export type PageType = (typeof PageType)[keyof typeof PageType];

export class Pamt {
  readonly #memory: HostMemory;
  readonly #type: Uint8Array;
  /** page number of the owner's TDR */
  readonly #owner: Uint32Array;
  /** level of the page that this is a part of: 0 = 4 KiB, 1 = 2 MiB, 2 = 1 GiB */
  readonly #level: Uint8Array;
  /** TD epoch at which the page was blocked */
  readonly #blockEpoch: Uint32Array;

  constructor(memory: HostMemory) {
    this.#memory = memory;
    const pages = memory.keyIdOfPage.length;
    this.#type = new Uint8Array(pages);
    this.#owner = new Uint32Array(pages);
    this.#level = new Uint8Array(pages);
    this.#blockEpoch = new Uint32Array(pages);
  }

  visitState(state: StateVisitor): void {
    state.array('type', this.#type);
    state.array('owner', this.#owner);
    state.array('level', this.#level);
    state.array('blockEpoch', this.#blockEpoch);
  }

  /** No page is anybody's, and none is reserved. */
  clear(): void {
    this.#type.fill(PageType.NDA);
    this.#level.fill(0);
  }

  typeOf(hpa: number): PageType {
    const type = this.#type;
    const page = Math.floor(hpa / PAGE_SIZE_BYTES);
    return (page < type.length ? type[page]! : PageType.RSVD) as PageType;
  }

  /** HPA of the owner's TDR. */
  ownerOf(hpa: number): number {
    return this.#owner[hpa / PAGE_SIZE_BYTES]! * PAGE_SIZE_BYTES;
  }

  levelOf(hpa: number): PageLevel {
    return this.#level[hpa / PAGE_SIZE_BYTES]!;
  }

  blockEpochOf(hpa: number): number {
    return this.#blockEpoch[hpa / PAGE_SIZE_BYTES]!;
  }

  setBlockEpoch(hpa: number, epoch: number): void {
    this.#blockEpoch[hpa / PAGE_SIZE_BYTES] = epoch;
  }

  /** True if all `pages` from `hpa` are nobody's. */
  isFree(hpa: number, pages: number): boolean {
    const first = hpa / PAGE_SIZE_BYTES;
    for (let page = first; page < first + pages; page++) if (this.#type[page] !== PageType.NDA) return false;
    return true;
  }

  /** Gives pages to a TD, under its key. */
  assign(hpa: number, level: PageLevel, type: PageType, ownerTdrHpa: number, keyId: number): void {
    const first = hpa / PAGE_SIZE_BYTES;
    const end = first + levelBytes(level) / PAGE_SIZE_BYTES;
    const owner = ownerTdrHpa / PAGE_SIZE_BYTES;
    const types = this.#type;
    const owners = this.#owner;
    const levels = this.#level;
    const epochs = this.#blockEpoch;
    const keyIds = this.#memory.keyIdOfPage;
    for (let page = first; page < end; page++) {
      types[page] = type;
      owners[page] = owner;
      levels[page] = level;
      epochs[page] = 0;
      keyIds[page] = keyId;
    }
  }

  /** A page of `level` becomes 512 of the level below, which were never blocked. */
  demote(hpa: number, level: PageLevel): void {
    this.#setLevel(hpa, level, level - 1);
    const first = hpa / PAGE_SIZE_BYTES;
    this.#blockEpoch.fill(0, first, first + levelBytes(level) / PAGE_SIZE_BYTES);
  }

  /** 512 pages that lie side by side become one of `level`. */
  promote(hpa: number, level: PageLevel): void {
    this.#setLevel(hpa, level, level);
  }

  #setLevel(hpa: number, size: PageLevel, level: PageLevel): void {
    const first = hpa / PAGE_SIZE_BYTES;
    this.#level.fill(level, first, first + levelBytes(size) / PAGE_SIZE_BYTES);
  }

  /** Pages that no TD may ever have. */
  reserve(hpa: number, lengthBytes: number): void {
    this.#type.fill(PageType.RSVD, hpa / PAGE_SIZE_BYTES, (hpa + lengthBytes) / PAGE_SIZE_BYTES);
  }

  /** Gives pages back to the host. */
  free(hpa: number, level: PageLevel): void {
    const first = hpa / PAGE_SIZE_BYTES;
    const pages = levelBytes(level) / PAGE_SIZE_BYTES;
    this.#type.fill(PageType.NDA, first, first + pages);
    this.#level.fill(0, first, first + pages);
    this.#memory.keyIdOfPage.fill(HOST_KEY_ID, first, first + pages);
  }
}
