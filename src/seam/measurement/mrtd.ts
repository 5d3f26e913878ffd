/**
 * MRTD: one SHA-384 stream over what the host added. Source: TDX Module 1.5 ABI Definition, "TDH.MEM.PAGE.ADD Leaf", "TDH.MR.EXTEND
 * Leaf". Nobody can see the digest before it is final: what is measured is kept, and hashed then, as the platform likes.
 */
import { SnapshotError, type StateVisitor } from '../../bits/index.ts';
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
function label(name: string, contentBytes: number): Label {
  const block = new Uint8Array(LABEL_BYTES);
  for (let i = 0; i < name.length; i++) block[i] = name.charCodeAt(i);
  return { block, contentBytes };
}

const LABELS = [label('MEM.PAGE.ADD', 0), label('MR.EXTEND', EXTEND_CHUNK_BYTES)];
const PAGE_ADD = 0;
const EXTEND = 1;

export class Mrtd {
  readonly #memory: Uint8Array;
  #parts: LabelledPart[] = [];
  /** rows of the part that is being made, as in LabelledPart; and where the content of each begins in memory */
  readonly #rows = new Float64Array(PART_ROWS * ROW_NUMBERS);
  readonly #sources = new Float64Array(PART_ROWS * ROW_NUMBERS);
  #rowsEnd = 0;
  /** bytes that these rows name */
  #waitingBytes = 0;
  /** what the last row could go on with; NaN: nothing */
  #nextGpa = Number.NaN;
  #nextSource = Number.NaN;
  #final = false;
  #digest: Uint8Array<ArrayBuffer> | undefined;
  /** gives the digest of a stream that has ended */
  #hashed: () => Uint8Array<ArrayBuffer> = () => new Uint8Array(DIGEST_BYTES);

  /** @param memory what `extend` measures from; its owner calls `gather` before measured bytes change */
  constructor(memory: Uint8Array) {
    this.#memory = memory;
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
    this.#addRow(PAGE_ADD, gpa, 0, 1);
    this.#nextGpa = Number.NaN;
  }

  /** 256 bytes at `gpa` are measured: those of the memory from `source` on. */
  extend(gpa: number, source: number): void {
    if (gpa === this.#nextGpa && source === this.#nextSource) this.#rows[this.#rowsEnd - 1]++;
    else this.#addRow(EXTEND, gpa, source, 1);
    this.#nextGpa = gpa + EXTEND_CHUNK_BYTES;
    this.#nextSource = source + EXTEND_CHUNK_BYTES;
    this.#waitingBytes += EXTEND_CHUNK_BYTES;
    if (this.#waitingBytes === PART_BYTES) this.gather();
  }

  #addRow(label: number, address: number, source: number, count: number): void {
    if (this.#rowsEnd === this.#rows.length) this.gather();
    const rows = this.#rows;
    const at = this.#rowsEnd;
    rows[at] = label;
    rows[at + 1] = address;
    rows[at + 2] = count;
    this.#sources[at] = source;
    this.#rowsEnd = at + ROW_NUMBERS;
  }

  /** Takes what is measured out of memory, which may change then. */
  gather(): void {
    const end = this.#rowsEnd;
    if (end === 0) return;
    const rows = this.#rows;
    const buffer = sha384Buffer(this.#waitingBytes + end * 8);
    const content = new Uint8Array(buffer, 0, this.#waitingBytes);
    let to = 0;
    for (let row = 0; row < end; row += ROW_NUMBERS) {
      if (rows[row] !== EXTEND) continue;
      const source = this.#sources[row]!;
      const bytes = rows[row + 2]! * EXTEND_CHUNK_BYTES;
      content.set(this.#memory.subarray(source, source + bytes), to);
      to += bytes;
    }
    const kept = new Float64Array(buffer, this.#waitingBytes);
    kept.set(rows.subarray(0, end));
    this.#parts.push({ rows: kept, content });
    this.#rowsEnd = 0;
    this.#waitingBytes = 0;
    this.#nextGpa = Number.NaN;
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
