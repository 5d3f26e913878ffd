/** Names of code addresses, from the symbol table of an ELF file. */

import { hex } from '../bits/index.ts';
import { isElf, parseElf } from '../loader/index.ts';

export type SymbolLookup = (address: bigint) => string | undefined;

const STT_NOTYPE = 0;
const STT_FUNC = 2;

/** A lookup that answers "name+0x12", or nothing where the file has no symbol for the address. */
export function symbolsOf(bytes: Uint8Array, name: string): SymbolLookup {
  if (!isElf(bytes)) return () => undefined;
  const symbols = parseElf(bytes, name)
    .symbols.filter(({ type, section }) => section !== 0 && (type === STT_FUNC || type === STT_NOTYPE))
    .filter((symbol) => symbol.name !== '')
    .sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
  return (address) => {
    let low = 0;
    let high = symbols.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (symbols[middle]!.value <= address) low = middle + 1;
      else high = middle;
    }
    const found = symbols[low - 1];
    if (found === undefined) return undefined;
    const offset = address - found.value;
    return found.sizeBytes !== 0 && offset >= BigInt(found.sizeBytes) ? undefined : `${found.name}+${hex(offset)}`;
  };
}
