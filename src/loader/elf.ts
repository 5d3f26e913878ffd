/** ELF64 files for x86-64, as far as loading one needs them (System V ABI, "Object Files"). */
import { type Bytes, partOf, readBytes, wholeOf } from '../bits/index.ts';
import { LoadError } from './plan.ts';

export const ElfType = { Relocatable: 1, Executable: 2, SharedObject: 3 } as const;

/** `Content`: where the file is, in memory or not. */
export interface ElfSegment<Content extends Bytes = Uint8Array> {
  readonly virtualAddress: bigint;
  readonly physicalAddress: bigint;
  /** the part that comes from the file */
  readonly content: Content;
  /** size in memory, at least that of the content; the rest is zeros */
  readonly memoryBytes: number;
  readonly writable: boolean;
  readonly executable: boolean;
}

export interface ElfSection<Content extends Bytes = Uint8Array> {
  readonly name: string;
  readonly type: number;
  /** SHF_* bits */
  readonly flags: number;
  readonly address: bigint;
  readonly alignment: number;
  readonly sizeBytes: number;
  /** empty for SHT_NOBITS */
  readonly content: Content;
  readonly link: number;
  readonly info: number;
}

export interface ElfSymbol {
  readonly name: string;
  readonly value: bigint;
  readonly sizeBytes: number;
  /** STT_*: 0 none, 1 object, 2 function, 3 section, 4 file */
  readonly type: number;
  /** STB_*: 0 local, 1 global, 2 weak */
  readonly binding: number;
  /** index into `sections`; 0 undefined, 0xFFF1 absolute, 0xFFF2 common */
  readonly section: number;
}

export interface ElfRelocation {
  /** the section the relocation is applied to */
  readonly section: number;
  readonly offset: number;
  readonly type: number;
  /** index into `symbols` */
  readonly symbol: number;
  readonly addend: bigint;
}

/** What there is to load. */
export interface ElfProgram<Content extends Bytes = Uint8Array> {
  readonly type: number;
  readonly entry: bigint;
  readonly segments: readonly ElfSegment<Content>[];
  readonly sections: readonly ElfSection<Content>[];
}

export interface ElfFile extends ElfProgram {
  readonly symbols: readonly ElfSymbol[];
  readonly relocations: readonly ElfRelocation[];
}

const SHT_SYMTAB = 2;
const SHT_RELA = 4;
const SHT_NOBITS = 8;
const PT_LOAD = 1;
const EM_X86_64 = 62;

const HEADER_BYTES = 64;

export function isElf(bytes: Bytes): boolean {
  const [first, ...letters] = readBytes(bytes, 0, 4);
  return first === 0x7f && String.fromCharCode(...letters) === 'ELF';
}

/**
 * Reads headers, PT_LOAD segments, sections, the symbol table and RELA relocations.
 * @param name how errors call the file
 * @throws LoadError for anything that is not a whole little-endian ELF64 file for x86-64
 */
export function parseElf(bytes: Uint8Array, name: string): ElfFile {
  const program = parseElfProgram(bytes, name);
  const { sections } = program;
  return { ...program, symbols: elfSymbols(sections), relocations: readRelocations(sections) };
}

/** The symbols of a file; of bytes that are not in memory only the table and its names are read. */
export function elfSymbols(sections: readonly ElfSection<Bytes>[]): ElfSymbol[] {
  const table = sections.find((section) => section.type === SHT_SYMTAB);
  if (table === undefined) return [];
  const content = wholeOf(table.content);
  const names = wholeOf(sections[table.link]?.content ?? new Uint8Array(0));
  const view = viewOf(content);
  const symbols: ElfSymbol[] = [];
  for (let at = 0; at + 24 <= content.length; at += 24) {
    const info = view.getUint8(at + 4);
    symbols.push({
      name: stringAt(names, view.getUint32(at, true)),
      type: info & 15,
      binding: info >> 4,
      section: view.getUint16(at + 6, true),
      value: view.getBigUint64(at + 8, true),
      sizeBytes: size64(view, at + 16),
    });
  }
  return symbols;
}

/** As `parseElf`, but without symbols and relocations; of bytes that are not in memory only the headers are read. */
export function parseElfProgram<Content extends Bytes>(bytes: Content, name: string): ElfProgram<Content> {
  if (!isElf(bytes)) throw new LoadError(`${name} is not an ELF file: it does not start with the ELF magic`);
  if (bytes.length < HEADER_BYTES) throw truncated(name, 'its header');
  const header = readBytes(bytes, 0, HEADER_BYTES).slice();
  if (header[4] !== 2)
    throw new LoadError(`${name} is a 32-bit ELF file: a TD runs 64-bit code, give one built for x86-64`);
  const view = viewOf(header);
  const machine = view.getUint16(18, true);
  if (header[5] !== 1 || machine !== EM_X86_64)
    throw new LoadError(`${name} is an ELF file for another processor (machine ${machine}): give one built for x86-64`);
  // a part of something has its kind
  const slice = (offset: number, length: number, what: string): Content => {
    if (offset + length > bytes.length) throw truncated(name, what);
    return partOf(bytes, offset, offset + length) as Content;
  };
  return {
    type: view.getUint16(16, true),
    entry: view.getBigUint64(24, true),
    segments: readSegments(view, slice),
    sections: readSections(view, slice),
  };
}

type Slice<Content extends Bytes> = (offset: number, length: number, what: string) => Content;

function truncated(name: string, what: string): LoadError {
  return new LoadError(`${name} is truncated: ${what} lies past the end of the file; fetch or build it again`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** File offsets and sizes beyond 2^53 cannot be right; as plain numbers they fail the bounds check all the same. */
function size64(view: DataView, offset: number): number {
  return Number(view.getBigUint64(offset, true));
}

function readSegments<Content extends Bytes>(file: DataView, slice: Slice<Content>): ElfSegment<Content>[] {
  const count = file.getUint16(56, true);
  if (count === 0) return [];
  const stride = file.getUint16(54, true);
  const headers = viewOf(wholeOf(slice(size64(file, 32), count * stride, 'its program header table')));
  const segments: ElfSegment<Content>[] = [];
  for (let at = 0; at < count * stride; at += stride) {
    if (headers.getUint32(at, true) !== PT_LOAD) continue;
    const flags = headers.getUint32(at + 4, true);
    segments.push({
      virtualAddress: headers.getBigUint64(at + 16, true),
      physicalAddress: headers.getBigUint64(at + 24, true),
      content: slice(size64(headers, at + 8), size64(headers, at + 32), `segment ${at / stride}`),
      memoryBytes: Math.max(size64(headers, at + 40), size64(headers, at + 32)),
      writable: (flags & 2) !== 0,
      executable: (flags & 1) !== 0,
    });
  }
  return segments;
}

function readSections<Content extends Bytes>(file: DataView, slice: Slice<Content>): ElfSection<Content>[] {
  const count = file.getUint16(60, true);
  if (count === 0) return [];
  const stride = file.getUint16(58, true);
  const headers = viewOf(wholeOf(slice(size64(file, 40), count * stride, 'its section header table')));
  const raw = Array.from({ length: count }, (_, index) => {
    const at = index * stride;
    const type = headers.getUint32(at + 4, true);
    const sizeBytes = size64(headers, at + 32);
    const onDisk = type !== SHT_NOBITS && type !== 0;
    return {
      nameOffset: headers.getUint32(at, true),
      type,
      flags: size64(headers, at + 8),
      address: headers.getBigUint64(at + 16, true),
      alignment: size64(headers, at + 48),
      sizeBytes,
      content: onDisk ? slice(size64(headers, at + 24), sizeBytes, `section ${index}`) : slice(0, 0, 'nothing'),
      link: headers.getUint32(at + 40, true),
      info: headers.getUint32(at + 44, true),
    };
  });
  const names = wholeOf(raw[file.getUint16(62, true)]?.content ?? new Uint8Array(0));
  return raw.map(({ nameOffset, ...section }) => ({ name: stringAt(names, nameOffset), ...section }));
}

function readRelocations(sections: readonly ElfSection[]): ElfRelocation[] {
  const symbolTable = sections.findIndex((section) => section.type === SHT_SYMTAB);
  const relocations: ElfRelocation[] = [];
  for (const section of sections) {
    if (section.type !== SHT_RELA || section.link !== symbolTable) continue;
    const view = viewOf(section.content);
    for (let at = 0; at + 24 <= section.content.length; at += 24)
      relocations.push({
        section: section.info,
        offset: size64(view, at),
        type: view.getUint32(at + 8, true),
        symbol: view.getUint32(at + 12, true),
        addend: view.getBigInt64(at + 16, true),
      });
  }
  return relocations;
}

function stringAt(strings: Uint8Array, offset: number): string {
  let text = '';
  for (let at = offset; at < strings.length && strings[at] !== 0; at++) text += String.fromCharCode(strings[at]!);
  return text;
}
