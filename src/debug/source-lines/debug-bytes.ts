/** Reading the encodings of DWARF, one value after the other (DWARF Debugging Information Format 5, "Data Representation"). */
import { LoadError } from '../../loader/index.ts';

/** In the initial length of a unit: a length of 64 bits follows, and so are offsets. */
const DWARF_64 = 0xffff_ffff;

export class DebugBytes {
  readonly #view: DataView;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  get lengthBytes(): number {
    return this.#view.byteLength;
  }

  u8(): number {
    return this.#view.getUint8(this.#next(1));
  }

  i8(): number {
    return this.#view.getInt8(this.#next(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#next(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#next(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#next(8), true);
  }

  /** Unsigned LEB128. Values beyond 2^53 lose bits: lines, files and lengths have none. */
  uleb(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** Signed LEB128, of the same range. */
  sleb(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return (byte & 0x40) !== 0 ? value - scale * 128 : value;
    }
  }

  /** A text up to its zero. */
  text(): string {
    const bytes: number[] = [];
    for (let byte = this.u8(); byte !== 0; byte = this.u8()) bytes.push(byte);
    return new TextDecoder().decode(Uint8Array.from(bytes));
  }

  /** An offset into a section, or a length: 4 or 8 bytes. */
  offset(offsetBytes: number): number {
    return offsetBytes === 8 ? Number(this.u64()) : this.u32();
  }

  /** The length at the start of a unit: where the unit ends, and how wide its offsets are. */
  unitLength(): { readonly end: number; readonly offsetBytes: 4 | 8 } {
    const short = this.u32();
    const length = short === DWARF_64 ? Number(this.u64()) : short;
    const end = this.at + length;
    if (end > this.lengthBytes) throw new LoadError('a unit of debug information reaches past the end of its section');
    return { end, offsetBytes: short === DWARF_64 ? 8 : 4 };
  }

  skip(bytes: number): void {
    this.#next(bytes);
  }

  #next(bytes: number): number {
    const { at } = this;
    if (at + bytes > this.lengthBytes) throw new LoadError('debug information ends in the middle of a value');
    this.at = at + bytes;
    return at;
  }
}
