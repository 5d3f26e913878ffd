/** Brings an ELF object to its addresses: sections laid out, relocations applied (System V ABI, AMD64 supplement, "Relocation Types"). */
import { hex } from '../bits/index.ts';
import { type ElfFile, type ElfRelocation, type ElfSymbol, ElfType } from './elf.ts';
import { type Piece, pageCeiling } from './pages.ts';
import { LoadError } from './plan.ts';

export interface LinkedObject {
  readonly pieces: readonly Piece[];
  /** named symbols of the object and their addresses; provided ones are not among them */
  readonly symbols: ReadonlyMap<string, number>;
  /** sections of a relocatable object and where they went; of an executable nothing, its addresses are its own */
  readonly sections: ReadonlyMap<string, number>;
}

export interface LinkOptions {
  /** how errors call the object */
  readonly name: string;
  /** where the sections of a relocatable object go, page-aligned, below 2 GiB */
  readonly baseGpa: number;
  /** addresses for symbols that the object wants from elsewhere */
  readonly provided: ReadonlyMap<string, number>;
}

const SHF_ALLOC = 2;
const Section = { undefined: 0, absolute: 0xfff1, common: 0xfff2 } as const;
const STB_WEAK = 2;
const STT_SECTION = 3;
const STT_FILE = 4;

const Relocation = {
  NONE: 0,
  ABSOLUTE_64: 1,
  PC_32: 2,
  PLT_32: 4,
  GOTPCREL: 9,
  ABSOLUTE_32: 10,
  ABSOLUTE_32S: 11,
  PC_64: 24,
  GOTPCRELX: 41,
  REX_GOTPCRELX: 42,
} as const;
const THROUGH_GOT: readonly number[] = [Relocation.GOTPCREL, Relocation.GOTPCRELX, Relocation.REX_GOTPCRELX];

/** @throws LoadError that names the symbol or relocation which cannot be resolved */
export function linkObject(elf: ElfFile, options: LinkOptions): LinkedObject {
  if (elf.type === ElfType.Executable) return takeExecutable(elf);
  if (elf.type !== ElfType.Relocatable)
    throw new LoadError(`${options.name} is neither a relocatable object nor a static executable: compile it with -c`);
  return new Linker(elf, options).link();
}

function takeExecutable(elf: ElfFile): LinkedObject {
  const symbols = new Map<string, number>();
  for (const symbol of elf.symbols)
    if (isNamed(symbol) && symbol.section !== Section.undefined) symbols.set(symbol.name, Number(symbol.value));
  const pieces = elf.segments.map(({ virtualAddress, content, memoryBytes }) => {
    const bytes = new Uint8Array(memoryBytes);
    bytes.set(content);
    return { startGpa: Number(virtualAddress), content: bytes };
  });
  return { pieces, symbols, sections: new Map() };
}

function isNamed(symbol: ElfSymbol): boolean {
  return symbol.name !== '' && symbol.type !== STT_SECTION && symbol.type !== STT_FILE;
}

class Linker {
  readonly #elf: ElfFile;
  readonly #options: LinkOptions;
  /** address and bytes of each allocated section, by section index */
  readonly #placed = new Map<number, Piece>();
  readonly #commons = new Map<ElfSymbol, number>();
  /** slot of each symbol's address that code loads indirectly, by symbol index */
  readonly #slots = new Map<number, number>();
  #next: number;

  constructor(elf: ElfFile, options: LinkOptions) {
    this.#elf = elf;
    this.#options = options;
    this.#next = options.baseGpa;
  }

  link(): LinkedObject {
    this.#elf.sections.forEach((section, index) => {
      if ((section.flags & SHF_ALLOC) === 0) return;
      const content = new Uint8Array(section.sizeBytes);
      content.set(section.content);
      this.#placed.set(index, { startGpa: this.#reserve(section.sizeBytes, section.alignment), content });
    });
    for (const symbol of this.#elf.symbols)
      if (symbol.section === Section.common)
        this.#commons.set(symbol, this.#reserve(symbol.sizeBytes, Number(symbol.value)));
    const relocations = this.#elf.relocations.filter(({ section }) => this.#placed.has(section));
    const table = this.#globalOffsetTable(relocations);
    for (const relocation of relocations) this.#apply(relocation);

    const symbols = new Map<string, number>();
    for (const symbol of this.#elf.symbols) {
      const address = isNamed(symbol) ? this.#defined(symbol) : undefined;
      if (address !== undefined) symbols.set(symbol.name, address);
    }
    const commons = [...this.#commons].map(([symbol, startGpa]) => ({
      startGpa,
      content: new Uint8Array(symbol.sizeBytes),
    }));
    const sections = new Map(
      [...this.#placed].map(([index, { startGpa }]) => [this.#elf.sections[index]!.name, startGpa]),
    );
    return { pieces: [...this.#placed.values(), ...commons, ...table], symbols, sections };
  }

  #reserve(bytes: number, alignment: number): number {
    const step = Math.max(alignment, 1);
    const address = Math.ceil(this.#next / step) * step;
    this.#next = address + bytes;
    return address;
  }

  #globalOffsetTable(relocations: readonly ElfRelocation[]): Piece[] {
    const wanted = [
      ...new Set(relocations.filter(({ type }) => THROUGH_GOT.includes(type)).map(({ symbol }) => symbol)),
    ];
    if (wanted.length === 0) return [];
    const content = new Uint8Array(8 * wanted.length);
    const startGpa = this.#reserve(content.length, 8);
    wanted.forEach((symbol, index) => {
      new DataView(content.buffer).setBigUint64(8 * index, BigInt(this.#resolve(symbol)), true);
      this.#slots.set(symbol, startGpa + 8 * index);
    });
    return [{ startGpa, content }];
  }

  #defined(symbol: ElfSymbol): number | undefined {
    if (symbol.section === Section.absolute) return Number(symbol.value);
    if (symbol.section === Section.common) return this.#commons.get(symbol);
    const section = this.#placed.get(symbol.section);
    return section && section.startGpa + Number(symbol.value);
  }

  #resolve(index: number): number {
    const symbol = this.#elf.symbols[index];
    if (symbol === undefined) throw this.#damaged(`relocation for symbol ${index}, which it does not have`);
    const address = this.#defined(symbol) ?? this.#options.provided.get(symbol.name);
    if (address !== undefined) return address;
    if (symbol.binding === STB_WEAK) return 0;
    throw new LoadError(
      `${this.#options.name} needs the symbol ${symbol.name}, which nothing here provides: link it in, or take a smaller object`,
    );
  }

  #apply(relocation: ElfRelocation): void {
    const { startGpa, content } = this.#placed.get(relocation.section)!;
    const { type, addend, offset } = relocation;
    if (type === Relocation.NONE) return;
    const wide = type === Relocation.ABSOLUTE_64 || type === Relocation.PC_64;
    if (offset + (wide ? 8 : 4) > content.length)
      throw this.#damaged(`relocation at ${hex(offset)} of a shorter section`);
    const view = new DataView(content.buffer, offset);
    const place = BigInt(startGpa + offset);
    const target = BigInt(
      THROUGH_GOT.includes(type) ? this.#slots.get(relocation.symbol)! : this.#resolve(relocation.symbol),
    );
    switch (type) {
      case Relocation.ABSOLUTE_64:
        view.setBigInt64(0, BigInt.asIntN(64, target + addend), true);
        break;
      case Relocation.PC_64:
        view.setBigInt64(0, BigInt.asIntN(64, target + addend - place), true);
        break;
      case Relocation.PC_32:
      case Relocation.PLT_32:
      case Relocation.GOTPCREL:
      case Relocation.GOTPCRELX:
      case Relocation.REX_GOTPCRELX:
        this.#put32(view, target + addend - place, true);
        break;
      case Relocation.ABSOLUTE_32:
        this.#put32(view, target + addend, false);
        break;
      case Relocation.ABSOLUTE_32S:
        this.#put32(view, target + addend, true);
        break;
      default:
        throw new LoadError(
          `${this.#options.name} has a relocation of type ${type}, which is not supported: compile it without -fPIC and thread-local data`,
        );
    }
  }

  #put32(view: DataView, value: bigint, signed: boolean): void {
    if ((signed ? BigInt.asIntN(32, value) : BigInt.asUintN(32, value)) !== value)
      throw this.#damaged(`relocation whose value ${hex(value)} does not fit in 32 bits`);
    view.setUint32(0, Number(BigInt.asUintN(32, value)), true);
  }

  #damaged(what: string): LoadError {
    return new LoadError(`${this.#options.name} is damaged: it has a ${what}; build it again`);
  }
}

/** First address after all pieces, rounded up to a page. */
export function endOf(pieces: readonly Piece[]): number {
  return pageCeiling(Math.max(0, ...pieces.map(({ startGpa, content }) => startGpa + content.length)));
}
