/** MRTD: one SHA-384 stream over what the host added. Source: TDX Module 1.5 ABI Definition, "TDH.MEM.PAGE.ADD Leaf", "TDH.MR.EXTEND Leaf". */
import { sha384 } from '@noble/hashes/sha2.js';

/** Bytes of the block that names a leaf and a page. */
const BLOCK_BYTES = 128;
/** Bytes that one TDH.MR.EXTEND measures. */
export const EXTEND_CHUNK_BYTES = 256;

const GPA_OFFSET = 16;

export class Mrtd {
  readonly #stream = sha384.create();
  readonly #block = new Uint8Array(BLOCK_BYTES);
  readonly #view = new DataView(this.#block.buffer);

  /** A page was added at `gpa`; its content is not measured by this. */
  addPage(gpa: number): void {
    this.#update('MEM.PAGE.ADD', gpa);
  }

  /** 256 bytes at `gpa` are measured. */
  extend(gpa: number, chunk: Uint8Array): void {
    this.#update('MR.EXTEND', gpa);
    this.#stream.update(chunk);
  }

  /** The digest; ends the stream. */
  finalize(): Uint8Array<ArrayBuffer> {
    return this.#stream.digest() as Uint8Array<ArrayBuffer>;
  }

  #update(leaf: string, gpa: number): void {
    this.#block.fill(0);
    for (let i = 0; i < leaf.length; i++) this.#block[i] = leaf.charCodeAt(i);
    this.#view.setBigUint64(GPA_OFFSET, BigInt(gpa), true);
    this.#stream.update(this.#block);
  }
}
