/** The debug sections of an ELF file, with their relocations applied (System V ABI, AMD64 supplement, "Relocation Types"). */
import { type ElfFile, ElfType } from '../../loader/index.ts';

/** Where the sections of a relocatable object are that take up memory: an address by the index, undefined for one that is nowhere. */
export type PlaceOfSection = (index: number) => bigint | undefined;

const NAMES = ['.debug_line', '.debug_line_str', '.debug_str', '.debug_info', '.debug_abbrev'] as const;

/** Contents by name; what a file does not have is empty. */
export type DebugSections = Readonly<Record<(typeof NAMES)[number], Uint8Array>>;

const SHF_ALLOC = 2;
const SHF_COMPRESSED = 0x800;
/** Kinds of relocation that debug information needs, and how many bytes each writes. */
const RELOCATED_BYTES: Readonly<Record<number, 4 | 8>> = { 1: 8, 10: 4 };

/** @param placeOf matters for relocatable objects only; sections that are nowhere, and those of the debug information, count from 0 */
export function debugSections(elf: ElfFile, placeOf: PlaceOfSection): DebugSections {
  const contentOf = (name: string): Uint8Array => {
    const index = elf.sections.findIndex((section) => section.name === name);
    const section = elf.sections[index];
    if (section === undefined || (section.flags & SHF_COMPRESSED) !== 0) return new Uint8Array(0);
    return elf.type === ElfType.Relocatable ? relocated(elf, index, placeOf) : section.content;
  };
  return Object.fromEntries(NAMES.map((name) => [name, contentOf(name)])) as DebugSections;
}

function relocated(elf: ElfFile, index: number, placeOf: PlaceOfSection): Uint8Array {
  const content = Uint8Array.from(elf.sections[index]!.content);
  const view = new DataView(content.buffer);
  const baseOf = (target: number): bigint =>
    ((elf.sections[target]?.flags ?? 0) & SHF_ALLOC) === 0 ? 0n : (placeOf(target) ?? 0n);
  for (const { section, type, offset, symbol: symbolIndex, addend } of elf.relocations) {
    const bytes = RELOCATED_BYTES[type];
    if (section !== index || bytes === undefined || offset + bytes > content.length) continue;
    const symbol = elf.symbols[symbolIndex];
    const value = symbol === undefined ? 0n : baseOf(symbol.section) + symbol.value + addend;
    if (bytes === 8) view.setBigUint64(offset, BigInt.asUintN(64, value), true);
    else view.setUint32(offset, Number(BigInt.asUintN(32, value)), true);
  }
  return content;
}
