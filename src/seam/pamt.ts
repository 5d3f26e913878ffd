/** PAMT: what each host page is to the module. Source: TDX Module 1.5 Base Architecture, "Physical Address Metadata Table". */
import { HOST_KEY_ID, type HostMemory, PAGE_SIZE_BYTES } from '../memory/index.ts';

/** Page types, as TDH.PHYMEM.PAGE.RECLAIM returns them. Source: TDX Module 1.5 ABI Definition, "Physical Page Type". */
export const PageType = { NDA: 0, RSVD: 1, REG: 3, TDR: 4, TDCX: 5, TDVPR: 6, TDVPX: 7, EPT: 8 } as const;
export type PageType = (typeof PageType)[keyof typeof PageType];

export class Pamt {
  readonly #memory: HostMemory;
  readonly #type: Uint8Array;
  /** page number of the owner's TDR */
  readonly #owner: Uint32Array;
  /** level of the page that starts here: 0 = 4 KiB, 1 = 2 MiB */
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

  typeOf(hpa: number): PageType {
    return this.#type[hpa / PAGE_SIZE_BYTES] as PageType;
  }

  /** HPA of the owner's TDR. */
  ownerOf(hpa: number): number {
    return this.#owner[hpa / PAGE_SIZE_BYTES]! * PAGE_SIZE_BYTES;
  }

  levelOf(hpa: number): number {
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
  assign(hpa: number, level: number, type: PageType, ownerTdrHpa: number, keyId: number): void {
    const first = hpa / PAGE_SIZE_BYTES;
    const pages = level === 0 ? 1 : 512;
    this.#type.fill(type, first, first + pages);
    this.#owner.fill(ownerTdrHpa / PAGE_SIZE_BYTES, first, first + pages);
    this.#level.fill(level, first, first + pages);
    this.#blockEpoch.fill(0, first, first + pages);
    this.#memory.keyIdOfPage.fill(keyId, first, first + pages);
  }

  /** Changes the level of 512 pages that stay what they are. */
  setLevel(hpa: number, level: number): void {
    const first = hpa / PAGE_SIZE_BYTES;
    this.#level.fill(level, first, first + 512);
  }

  /** Gives pages back to the host. */
  free(hpa: number, level: number): void {
    const first = hpa / PAGE_SIZE_BYTES;
    const pages = level === 0 ? 1 : 512;
    this.#type.fill(PageType.NDA, first, first + pages);
    this.#memory.keyIdOfPage.fill(HOST_KEY_ID, first, first + pages);
  }
}
