/** A file that is read where it is wanted, always into the same memory: fresh memory costs more than reading. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { type Bytes, readBytes, type StoredBytes } from '../bits/index.ts';
import { orSentence, readShared } from './files.ts';

/** What is read at once by who goes through a file. */
const AHEAD_BYTES = 1 << 19;

export interface UserFileName {
  readonly path: string;
  /** how errors call it: "kernel" */
  readonly what: string;
  readonly length: number;
  /** when it was last changed, milliseconds since 1970 */
  readonly changed: number;
}

export class UserFile implements StoredBytes {
  readonly file: UserFileName;
  readonly #memory = new Uint8Array(AHEAD_BYTES);
  /** the part of the file that the memory holds */
  #start = 0;
  #end = 0;

  constructor(file: UserFileName) {
    this.file = file;
  }

  get length(): number {
    return this.file.length;
  }

  read(start: number, end: number): Uint8Array {
    if (end - start > AHEAD_BYTES) {
      const bytes = new Uint8Array(end - start);
      this.#fill(bytes, start);
      return bytes;
    }
    if (start < this.#start || end > this.#end) {
      const goesOn = start >= this.#start && start <= this.#end;
      const until = goesOn ? Math.min(start + AHEAD_BYTES, this.length) : end;
      this.#fill(this.#memory.subarray(0, until - start), start);
      this.#start = start;
      this.#end = until;
    }
    return this.#memory.subarray(start - this.#start, end - this.#start);
  }

  #fill(bytes: Uint8Array, position: number): void {
    orSentence(this.file.path, this.file.what, () => {
      const file = openSync(this.file.path, 'r');
      try {
        // what is read twice, such as what two registers measure, is the same both times
        const { size, mtimeMs } = fstatSync(file);
        if (size !== this.file.length || mtimeMs !== this.file.changed)
          throw new RangeError('it was changed while it was in use');
        for (let at = 0, more = 1; at < bytes.length && more > 0; at += more)
          more = readSync(file, bytes, at, bytes.length - at, position + at);
      } finally {
        closeSync(file);
      }
    });
  }
}

/** A file that a user named, to be read when it is needed; one that does not say how long it is, as a pipe, is read now. Throws one sentence. */
export function openUserFile(path: string, what: string): Bytes {
  const { size, mtimeMs } = orSentence(path, what, () => statSync(path));
  if (size === 0) return orSentence(path, what, () => readShared(path));
  const file = new UserFile({ path, what, length: size, changed: mtimeMs });
  readBytes(file, 0, 1); // what cannot be read is told of now
  return file;
}
