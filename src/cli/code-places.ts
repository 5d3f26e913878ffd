/** Names and source lines of code addresses, from a file that has symbols. */

import { readFileSync } from 'node:fs';
import { type Bytes, wholeOf } from '../bits/index.ts';
import { type SourceLookup, type SourcePlaces, type SymbolLookup, sourceLines, sourcePlaces } from '../debug/index.ts';
import { isElf, parseElf } from '../loader/index.ts';

export interface CodePlaces {
  readonly symbols: SymbolLookup;
  readonly sources: SourcePlaces;
}

export const NO_PLACES: CodePlaces = { symbols: () => undefined, sources: () => undefined };

/** Lines with their texts, where the files of the source are on this machine. */
export function sourcesOnDisk(lookup: SourceLookup): SourcePlaces {
  return sourcePlaces(lookup, (file) => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return undefined;
    }
  });
}

/** Source lines that an ELF file knows, read when they are first asked for; none of anything else. */
export function sourcesIn(bytes: Bytes, name: string): SourcePlaces {
  if (!isElf(bytes)) return () => undefined;
  let read: SourcePlaces | undefined;
  return (address) => {
    read ??= sourcesOnDisk(sourceLines(parseElf(wholeOf(bytes), name)));
    return read(address);
  };
}
