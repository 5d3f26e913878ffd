/** The host's physical memory: one linear WebAssembly memory, every page tagged with the key it is encrypted under. */

export const PAGE_SIZE_BYTES = 4096;
export const PAGE_SHIFT = 12;

/** Bytes at the bottom of the linear memory that belong to the processors (state, TLBs, predecoded code), never to software: enough for 255 of them. */
export const PROCESSOR_AREA_BYTES = 192 << 20;

/** What is known of a page's content without looking at it. */
export const PageContent = {
  /** zeros, and nobody may write it without saying so */
  Zero: 0,
  Written: 1,
  /** zeros were given to a TD with it: it is zero until that TD runs */
  GivenZeros: 2,
} as const;

/** Key id of memory that no TD owns: the host and the shared halves of TDs. */
export const HOST_KEY_ID = 0;

/**
 * Host physical address (HPA) = byte offset in `wasm`; RAM is [ramBase, ramBase + ramBytes).
 * The memory never grows, so the views stay valid; untouched pages cost nothing.
 */
export class HostMemory {
  readonly wasm: WebAssembly.Memory;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly view: DataView;
  readonly ramBase = PROCESSOR_AREA_BYTES;
  readonly ramBytes: number;
  /** Key id of each page, by page number (HPA >> 12). Written by the TDX module only. */
  readonly keyIdOfPage: Uint16Array;
  /** PageContent by page number; not Zero where software may have written the page since it was made. Set by whoever writes or lets write. */
  readonly writtenPage: Uint8Array;
  /** offset of a byte for each page, by page number: not 0 where instructions of the page are decoded. Written by the processors. */
  readonly codePages: number;
  #processorAreaUsed = 65536;

  /** @param ramBytes size of host RAM, a multiple of 64 KiB; with the processor area at most 4 GiB. */
  constructor(ramBytes: number) {
    const total = PROCESSOR_AREA_BYTES + ramBytes;
    if (ramBytes <= 0 || ramBytes % 65536 !== 0 || total > 65536 * 65536)
      throw new RangeError(
        `host memory of ${ramBytes} bytes: must be a positive multiple of 64 KiB, at most 4 GiB - ${PROCESSOR_AREA_BYTES >> 20} MiB`,
      );
    this.ramBytes = ramBytes;
    this.wasm = new WebAssembly.Memory({ initial: total / 65536, maximum: total / 65536 });
    const buffer = this.wasm.buffer;
    this.u8 = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.view = new DataView(buffer);
    this.keyIdOfPage = new Uint16Array(total >>> PAGE_SHIFT);
    this.writtenPage = new Uint8Array(total >>> PAGE_SHIFT);
    this.codePages = this.reserveProcessorArea(total >>> PAGE_SHIFT);
  }

  /** Takes `bytes` of the processor area, aligned to 64; returns the offset. Throws when the area is full. */
  reserveProcessorArea(bytes: number): number {
    const offset = (this.#processorAreaUsed + 63) & ~63;
    if (offset + bytes > PROCESSOR_AREA_BYTES)
      throw new RangeError(`the processor area is full: ${bytes} bytes asked, ${PROCESSOR_AREA_BYTES - offset} left`);
    this.#processorAreaUsed = offset + bytes;
    return offset;
  }

  /** True if [hpa, hpa + length) is RAM. */
  isRam(hpa: number, length: number): boolean {
    return hpa >= this.ramBase && length >= 0 && hpa + length <= this.ramBase + this.ramBytes;
  }
}
