/**
 * MRTD: one SHA-384 stream over what the host added. Source: TDX Module 1.5 ABI Definition, "TDH.MEM.PAGE.ADD Leaf", "TDH.MR.EXTEND
 * Leaf". Nobody can see the digest before it is final: the stream is kept, and hashed then, as the platform likes.
 */
import { SnapshotError, type StateVisitor } from '../../bits/index.ts';
import { beginSha384, SHA384_BLOCK_BYTES, sha384Buffer } from '../../digest/index.ts';

/** Bytes that one TDH.MR.EXTEND measures. */
export const EXTEND_CHUNK_BYTES = 256;
/** The block that names a leaf and a page is one block of the hash: the leaf's name at 0, the GPA at 16. */
const NAME_WORDS = SHA384_BLOCK_BYTES / 4;
const GPA_WORD = 4;
const CHUNK_WORDS = EXTEND_CHUNK_BYTES / 4;
const LONGEST_STEP_WORDS = NAME_WORDS + CHUNK_WORDS;
const STEPS_PER_PIECE = 1024;
const DIGEST_BYTES = 48;

const wordsOf = (text: string) => new Int32Array(Uint8Array.from(text, (character) => character.charCodeAt(0)).buffer);
const PAGE_ADD = wordsOf('MEM.PAGE.ADD');
const EXTEND = wordsOf('MR.EXTEND\0\0\0');

export class Mrtd {
  /** the stream so far; pieces but the last are full */
  #pieces: Uint8Array[] = [];
  #words: Int32Array = new Int32Array();
  /** words of the last piece that are in use */
  #used = 0;
  #final = false;
  #digest: Uint8Array<ArrayBuffer> | undefined;
  /** gives the digest of a stream that has ended */
  #hashed: () => Uint8Array<ArrayBuffer> = () => new Uint8Array(DIGEST_BYTES);

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
    this.#name(PAGE_ADD, gpa);
  }

  /** 256 bytes at `gpa` are measured: the words of `memory` from `at` on. */
  extend(gpa: number, memory: Int32Array, at: number): void {
    this.#name(EXTEND, gpa);
    const words = this.#words;
    const to = this.#used;
    for (let i = 0; i < CHUNK_WORDS; i++) words[to + i] = memory[at + i]!;
    this.#used += CHUNK_WORDS;
  }

  #name(leaf: Int32Array, gpa: number): void {
    if (this.#used + LONGEST_STEP_WORDS > this.#words.length) this.#newPiece();
    const words = this.#words;
    const at = this.#used;
    for (let i = 0; i < leaf.length; i++) words[at + i] = leaf[i]!;
    words[at + GPA_WORD] = gpa;
    words[at + GPA_WORD + 1] = gpa > 0xffff_ffff ? gpa / 0x1_0000_0000 : 0;
    this.#used += NAME_WORDS;
  }

  #newPiece(): void {
    this.#endPiece();
    this.#words = new Int32Array(sha384Buffer(STEPS_PER_PIECE * LONGEST_STEP_WORDS * 4));
    this.#used = 0;
  }

  #endPiece(): void {
    this.#pieces.push(new Uint8Array(this.#words.buffer, 0, this.#used * 4));
  }

  /** Nothing is measured any more. */
  finalize(): void {
    this.#endPiece();
    this.#final = true;
    this.#hashed = beginSha384(this.#pieces);
    this.#pieces = [];
    this.#words = new Int32Array();
  }

  /** The measurement, zero before `finalize`. */
  get digest(): Uint8Array<ArrayBuffer> {
    if (!this.#final) return new Uint8Array(DIGEST_BYTES);
    this.#digest ??= this.#hashed();
    return this.#digest;
  }
}
