/** Bytes with names: layout, data, and references to labels, which are filled in at the end. */
import { CodeBytes, writeInteger } from './code-bytes.ts';
import { demand } from './demand.ts';
import { fitsSigned, type Immediate, isLabel } from './operands.ts';

/** What `assemble()` returns. */
export interface Assembled {
  /** address of `bytes[0]` */
  readonly origin: number;
  readonly bytes: Uint8Array;
  /** labels and their addresses, in order of definition */
  readonly symbols: ReadonlyMap<string, number>;
}

/** A place that wants to know where a label is. */
export interface Fixup {
  readonly at: number;
  readonly bytes: number;
  readonly label: string;
  readonly addend: number;
  /** relative to this offset (the end of the instruction), or -1: absolute */
  relativeTo: number;
}

export class LabelledCode {
  readonly origin: number;
  protected readonly code = new CodeBytes();
  readonly #labels = new Map<string, number>();
  readonly #fixups: Fixup[] = [];

  constructor(origin: number) {
    this.origin = origin;
  }

  // ---- layout

  /** Offset of the next byte from the origin. */
  get offset(): number {
    return this.code.length;
  }

  /** Address of the next byte. */
  get here(): number {
    return this.origin + this.code.length;
  }

  label(name: string): void {
    demand(!this.#labels.has(name), `label "${name}" is defined twice`);
    this.#labels.set(name, this.code.length);
  }

  /** Pads with `fill` (default NOP) up to a multiple of `boundary` of the address. */
  align(boundary: number, fill = 0x90): void {
    const over = this.here % boundary;
    if (over !== 0) this.code.fill(boundary - over, fill);
  }

  /** Pads with `fill` (default 0) up to an offset from the origin. */
  padTo(offset: number, fill = 0): void {
    if (this.offset > offset) throw new Error(`cannot pad to offset ${offset}: already at ${this.offset}`);
    this.code.fill(offset - this.offset, fill);
  }

  // ---- data

  bytes(...parts: (number | ArrayLike<number>)[]): void {
    for (const part of parts) {
      if (typeof part === 'number') this.code.push(part);
      else this.code.append(part);
    }
  }

  u8(...values: Immediate[]): void {
    for (const value of values) this.immediate(value, 1);
  }

  u16(...values: Immediate[]): void {
    for (const value of values) this.immediate(value, 2);
  }

  u32(...values: Immediate[]): void {
    for (const value of values) this.immediate(value, 4);
  }

  u64(...values: Immediate[]): void {
    for (const value of values) this.immediate(value, 8);
  }

  /** UTF-8 text with a final zero byte. */
  asciz(text: string): void {
    this.bytes(new TextEncoder().encode(text), 0);
  }

  // ---- result

  /** Patches label references; the assembler can go on and be assembled again. */
  assemble(): Assembled {
    const bytes = this.code.copy();
    for (const { at, bytes: width, label, addend, relativeTo } of this.#fixups) {
      const offset = this.#labels.get(label);
      if (offset === undefined) throw new Error(`label "${label}" is not defined`);
      const value = relativeTo < 0 ? this.origin + offset + addend : offset + addend - relativeTo;
      const fits = relativeTo >= 0 ? fitsSigned(value, width) : value < 2 ** (8 * width);
      if (!fits) throw new Error(`label "${label}" does not fit in ${width * 8} bits`);
      writeInteger(bytes, at, value, width);
    }
    const symbols = new Map([...this.#labels].map(([name, offset]) => [name, this.origin + offset]));
    return { origin: this.origin, bytes, symbols };
  }

  // ---- for instructions

  protected immediate(value: Immediate, bytes: number): void {
    if (isLabel(value)) {
      this.reference(value.label, value.addend, bytes);
      return;
    }
    const bits = bytes * 8;
    const fits = Number.isInteger(Number(value)) && value >= -(2 ** (bits - 1)) && value < 2 ** bits;
    if (!fits) throw new Error(`${value} does not fit in ${bits} bits`);
    this.code.integer(value, bytes);
  }

  /** Leaves room for the address of a label; the caller says what it is relative to. */
  protected reference(label: string, addend: number, bytes: number): Fixup {
    const fixup = { at: this.offset, bytes, label, addend, relativeTo: -1 };
    this.#fixups.push(fixup);
    this.code.fill(bytes, 0);
    return fixup;
  }

  /** The way from the end of these bytes to a label, or to an address. */
  protected relative(target: string | number, bytes: number): void {
    const end = this.offset + bytes;
    if (typeof target === 'number') this.immediate(target - (this.origin + end), bytes);
    else this.reference(target, 0, bytes).relativeTo = end;
  }

  /** Is the target known already, and within a signed byte's reach of an offset? */
  protected isNear(target: string | number, fromOffset: number): boolean {
    const offset = typeof target === 'number' ? target - this.origin : this.#labels.get(target);
    return offset !== undefined && fitsSigned(offset - fromOffset, 1);
  }
}
