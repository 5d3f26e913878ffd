/** Writes the low 1, 2, 4 or 8 bytes of an integer, the lowest first. */
export function writeInteger(data: Uint8Array, at: number, value: number | bigint, bytes: number): void {
  if (bytes === 8) new DataView(data.buffer, data.byteOffset).setBigInt64(at, BigInt.asIntN(64, BigInt(value)), true);
  else for (let i = 0; i < bytes; i++) data[at + i] = Number(value) >> (8 * i);
}

/** What has been assembled. A ROM is mostly fill and tables, so these come in one piece. */
export class CodeBytes {
  length = 0;
  #data = new Uint8Array(4096);

  #room(more: number): void {
    const needed = this.length + more;
    if (needed <= this.#data.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#data.length, needed));
    grown.set(this.#data);
    this.#data = grown;
  }

  push(byte: number): void {
    this.#room(1);
    this.#data[this.length++] = byte;
  }

  append(bytes: ArrayLike<number>): void {
    this.#room(bytes.length);
    this.#data.set(bytes, this.length);
    this.length += bytes.length;
  }

  fill(count: number, value: number): void {
    this.#room(count);
    this.#data.fill(value, this.length, this.length + count);
    this.length += count;
  }

  /** An integer of 1, 2, 4 or 8 bytes. */
  integer(value: number | bigint, bytes: number): void {
    this.#room(bytes);
    writeInteger(this.#data, this.length, value, bytes);
    this.length += bytes;
  }

  copy(): Uint8Array {
    return this.#data.slice(0, this.length);
  }
}
