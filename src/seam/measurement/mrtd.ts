/**
 * MRTD: one SHA-384 stream over what the host added. Source: TDX Module 1.5 ABI Definition, "TDH.MEM.PAGE.ADD Leaf", "TDH.MR.EXTEND
 * Leaf". Nobody can see the digest before it is final, and many runs never look: what was measured is kept, and hashed when it is asked
 * for.
 */
import { SnapshotError, type StateVisitor } from '../../bits/index.ts';
import { SHA384_BLOCK_BYTES, sha384 } from '../../digest/index.ts';

/** Bytes of the block that names a leaf and a page: one block of the hash. */
const NAME_BYTES = SHA384_BLOCK_BYTES;
const GPA_OFFSET = 16;
/** Bytes that one TDH.MR.EXTEND measures. */
export const EXTEND_CHUNK_BYTES = 256;
const CHUNKS_PER_PIECE = 256;
const DIGEST_BYTES = 48;
/** Steps that are hashed at once. */
const STEPS_AT_ONCE = 128;

const asciiOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const PAGE_ADD = asciiOf('MEM.PAGE.ADD');
const EXTEND = asciiOf('MR.EXTEND');

export class Mrtd {
  /** in order: the GPA of each chunk measured, and -1 - GPA of each page added */
  #steps: number[] = [];
  /** contents of the chunks, in order */
  #contents: Uint8Array[] = [];
  #chunks = 0;
  #final = false;
  #digest: Uint8Array<ArrayBuffer> | undefined;

  /** Of a measurement that is final; the digest is all that is left of it. */
  visitState(state: StateVisitor): void {
    if (!this.#final && !state.restoring) throw new SnapshotError('a TD is still being built');
    const digest = state.restoring ? new Uint8Array(DIGEST_BYTES) : this.digest;
    state.array('digest', digest);
    this.#digest = digest;
    this.#final = true;
  }

  /** A page was added at `gpa`; its content is not measured by this. */
  addPage(gpa: number): void {
    this.#steps.push(-1 - gpa);
  }

  /** 256 bytes at `gpa` are measured. */
  extend(gpa: number, chunk: Uint8Array): void {
    const at = (this.#chunks++ % CHUNKS_PER_PIECE) * EXTEND_CHUNK_BYTES;
    if (at === 0) this.#contents.push(new Uint8Array(CHUNKS_PER_PIECE * EXTEND_CHUNK_BYTES));
    this.#contents[this.#contents.length - 1]!.set(chunk, at);
    this.#steps.push(gpa);
  }

  /** Nothing is measured any more. */
  finalize(): void {
    this.#final = true;
  }

  /** The measurement, zero before `finalize`. */
  get digest(): Uint8Array<ArrayBuffer> {
    if (!this.#final) return new Uint8Array(DIGEST_BYTES);
    if (this.#digest === undefined) {
      this.#digest = sha384(this.#stream());
      this.#steps = [];
      this.#contents = [];
    }
    return this.#digest;
  }

  /** What is hashed, in pieces that are good until the next one is asked for. */
  *#stream(): Iterable<Uint8Array> {
    const piece = new Uint8Array(STEPS_AT_ONCE * (NAME_BYTES + EXTEND_CHUNK_BYTES));
    const view = new DataView(piece.buffer);
    let used = 0;
    let chunk = 0;
    for (const [number, step] of this.#steps.entries()) {
      const gpa = step < 0 ? -1 - step : step;
      piece.fill(0, used, used + NAME_BYTES);
      piece.set(step < 0 ? PAGE_ADD : EXTEND, used);
      view.setBigUint64(used + GPA_OFFSET, BigInt(gpa), true);
      used += NAME_BYTES;
      if (step >= 0) {
        const content = this.#contents[Math.floor(chunk / CHUNKS_PER_PIECE)]!;
        const at = (chunk++ % CHUNKS_PER_PIECE) * EXTEND_CHUNK_BYTES;
        piece.set(content.subarray(at, at + EXTEND_CHUNK_BYTES), used);
        used += EXTEND_CHUNK_BYTES;
      }
      if ((number + 1) % STEPS_AT_ONCE !== 0) continue;
      yield piece.subarray(0, used);
      used = 0;
    }
    yield piece.subarray(0, used);
  }
}
