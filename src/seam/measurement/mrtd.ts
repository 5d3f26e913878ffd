/**
 * MRTD: one SHA-384 stream over what the host added. Source: TDX Module 1.5 ABI Definition, "TDH.MEM.PAGE.ADD Leaf", "TDH.MR.EXTEND
 * Leaf". Nobody can see the digest before it is final: what is measured is kept, and hashed then, as the platform likes.
 */
import { isZero, SnapshotError, type StateVisitor } from '../../bits/index.ts';
import {
  beginSha384,
  LABEL_BYTES,
  type Label,
  type LabelledPart,
  ROW_NUMBERS,
  sha384Buffer,
} from '../../digest/index.ts';

/** Bytes that one TDH.MR.EXTEND measures. */
export const EXTEND_CHUNK_BYTES = 256;
/** What is kept in one piece, at most: content that is still in the processor's cache when it is gathered. */
const PART_BYTES = 1 << 18;
const PART_ROWS = 256;
const DIGEST_BYTES = 48;

/** The block that names a leaf and a page: the leaf's name at 0, the GPA at 16. */
function label(name: string, contentBytes: number, ofZeros = false): Label {
  const block = new Uint8Array(LABEL_BYTES);
  for (let i = 0; i < name.length; i++) block[i] = name.charCodeAt(i);
  return { block, contentBytes, isZero: ofZeros };
}

const LABELS = [
  label('MEM.PAGE.ADD', 0),
  label('MR.EXTEND', EXTEND_CHUNK_BYTES),
  label('MR.EXTEND', EXTEND_CHUNK_BYTES, true),
];
const PAGE_ADD = 0;
const EXTEND = 1;
/** of bytes that are zeros, a quarter of a vmlinux */
const EXTEND_ZEROS = 2;

export class Mrtd {
  readonly #memory: Uint8Array;
  readonly #words: Int32Array;
  #parts: LabelledPart[] = [];
  /** rows of the part that is being made, as in LabelledPart; and where the content of each begins in memory */
  readonly #rows = new Float64Array(PART_ROWS * ROW_NUMBERS);
  readonly #sources = new Float64Array(PART_ROWS * ROW_NUMBERS);
  #rowsEnd = 0;
  /** bytes that these rows name, apart from those known to be zeros */
  #waitingBytes = 0;
  /** what the last row, of TDH.MR.EXTEND, could go on with; undefined: it is of another kind */
  #nextGpa: number | undefined;
  #nextSource: number | undefined;
  #nextIsZero = false;
  #final = false;
  #digest: Uint8Array<ArrayBuffer> | undefined;
  /** gives the digest of a stream that has ended */
  #hashed: () => Uint8Array<ArrayBuffer> = () => new Uint8Array(DIGEST_BYTES);

  /** @param memory what `extend` measures from; its owner calls `gather` before measured bytes change */
  constructor(memory: Uint8Array) {
    this.#memory = memory;
    this.#words = new Int32Array(memory.buffer, memory.byteOffset, memory.length / 4);
  }

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
    this.#addRow(PAGE_ADD, gpa, 0);
  }

  /** 256 bytes at `gpa` are measured: those of the memory from `source` on. @param isZero known to be zeros, which need not be looked at */
  extend(gpa: number, source: number, isZero = false): void {
    if (gpa !== this.#nextGpa || source !== this.#nextSource || isZero !== this.#nextIsZero)
      this.#addRow(isZero ? EXTEND_ZEROS : EXTEND, gpa, source);
    this.#nextGpa = gpa + EXTEND_CHUNK_BYTES;
    this.#nextSource = source + EXTEND_CHUNK_BYTES;
    this.#nextIsZero = isZero;
    if (isZero) return;
    this.#waitingBytes += EXTEND_CHUNK_BYTES;
    if (this.#waitingBytes === PART_BYTES) this.gather();
  }

  #addRow(label: number, address: number, source: number): void {
    if (this.#rowsEnd === this.#rows.length) this.gather();
    else this.#endRun();
    const rows = this.#rows;
    const at = this.#rowsEnd;
    rows[at] = label;
    rows[at + 1] = address;
    rows[at + 2] = 1;
    this.#sources[at] = source;
    this.#rowsEnd = at + ROW_NUMBERS;
  }

  /** The last row is as long as it gets. */
  #endRun(): void {
    if (this.#nextGpa === undefined) return;
    const rows = this.#rows;
    const end = this.#rowsEnd;
    rows[end - 1] = (this.#nextGpa - rows[end - 2]!) / EXTEND_CHUNK_BYTES;
    this.#nextGpa = undefined;
  }

  /** Takes what is measured out of memory, which may change then. */
  gather(): void {
    const end = this.#rowsEnd;
    if (end === 0) return;
    this.#endRun();
    const rows = this.#rows;
    const contentBytes = this.#keptBytes();
    const buffer = sha384Buffer(contentBytes + end * 8);
    const content = new Uint8Array(buffer, 0, contentBytes);
    let to = 0;
    for (let row = 0; row < end; row += ROW_NUMBERS) {
      if (rows[row] !== EXTEND) continue;
      const source = this.#sources[row]!;
      const bytes = rows[row + 2]! * EXTEND_CHUNK_BYTES;
      content.set(this.#memory.subarray(source, source + bytes), to);
      to += bytes;
    }
    const kept = new Float64Array(buffer, contentBytes);
    kept.set(rows.subarray(0, end));
    this.#parts.push({ rows: kept, content });
    this.#rowsEnd = 0;
    this.#waitingBytes = 0;
  }

  /** Rows of zeros become such. Returns how many bytes the others name. */
  #keptBytes(): number {
    const rows = this.#rows;
    let bytes = this.#waitingBytes;
    for (let row = 0; row < this.#rowsEnd; row += ROW_NUMBERS) {
      const start = this.#sources[row]! / 4;
      const length = rows[row + 2]! * EXTEND_CHUNK_BYTES;
      if (rows[row] !== EXTEND || !isZero(this.#words, start, start + length / 4)) continue;
      rows[row] = EXTEND_ZEROS;
      bytes -= length;
    }
    return bytes;
  }

  /** Nothing is measured any more. */
  finalize(): void {
    this.gather();
    this.#final = true;
    this.#hashed = beginSha384({ labels: LABELS, parts: this.#parts });
    this.#parts = [];
  }

  /** The measurement, zero before `finalize`. */
  get digest(): Uint8Array<ArrayBuffer> {
    if (!this.#final) return new Uint8Array(DIGEST_BYTES);
    this.#digest ??= this.#hashed();
    return this.#digest;
  }
}
