/** Names of code addresses, from the symbol table of an ELF file or from a System.map. */

import { type Bytes, hex, wholeOf } from '../bits/index.ts';
import { elfSymbols, isElf, parseElfProgram } from '../loader/index.ts';

/** "name+0x12", or nothing where there is no symbol for the address. */
export type SymbolLookup = (address: bigint) => string | undefined;

export interface CodeSymbol {
  readonly name: string;
  readonly address: bigint;
  /** 0: up to the next symbol */
  readonly sizeBytes: number;
}

const STT_NOTYPE = 0;
const STT_FUNC = 2;
/** A symbol without a size does not reach further than this. */
export const LONGEST_FUNCTION_BYTES = 1 << 20;

/** A lookup in symbols of any order. */
export function symbolLookup(symbols: Iterable<CodeSymbol>): SymbolLookup {
  const sorted = [...symbols].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  return (address) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    const found = sorted[low - 1];
    if (found === undefined) return undefined;
    const offset = address - found.address;
    const end = found.sizeBytes === 0 ? LONGEST_FUNCTION_BYTES : found.sizeBytes;
    return offset >= end ? undefined : `${found.name}+${hex(offset)}`;
  };
}

/** Lines of a System.map or of /proc/kallsyms: address, type, name. */
export function parseSystemMap(text: string): CodeSymbol[] {
  return [...text.matchAll(/^([0-9a-f]{8,16}) ([TtWw]) (\S+)/gm)].map(([, address, , name]) => ({
    name: name!,
    address: BigInt(`0x${address}`),
    sizeBytes: 0,
  }));
}

/** Symbols of an ELF file or a System.map; none of anything else. Of an ELF file that is not in memory no more is read than is needed. */
export function symbolsIn(bytes: Bytes, name: string): CodeSymbol[] {
  if (!isElf(bytes)) return parseSystemMap(new TextDecoder('latin1').decode(wholeOf(bytes)));
  return elfSymbols(parseElfProgram(bytes, name).sections)
    .filter(({ type, section }) => section !== 0 && (type === STT_FUNC || type === STT_NOTYPE))
    .filter((symbol) => symbol.name !== '')
    .map((symbol) => ({ name: symbol.name, address: symbol.value, sizeBytes: symbol.sizeBytes }));
}
