/** Names and source lines of code addresses, from a file that has symbols. */

import { readFileSync } from 'node:fs';
import { type Bytes, wholeOf } from '../bits/index.ts';
import {
  type OrcPlaces,
  orcPlacesInElf,
  type SourceLookup,
  type SourcePlaces,
  type SymbolLookup,
  sourceLines,
  sourcePlaces,
  symbolLookup,
  symbolsIn,
} from '../debug/index.ts';
import { isElf, parseElf } from '../loader/index.ts';
import { FileError } from '../node/index.ts';

export interface CodePlaces {
  readonly symbols: SymbolLookup;
  readonly sources: SourcePlaces;
  /** where the kernel has its unwind tables, if the file says so */
  readonly orc?: () => OrcPlaces | undefined;
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

/**
 * What an ELF file knows of code, read when it is first asked for; nothing of any other file. A file that is gone or another one by then names nothing:
 * who asks reports how a run ended, which is more than names.
 */
export function placesIn(bytes: Bytes, name: string): CodePlaces {
  if (!isElf(bytes)) return NO_PLACES;
  return {
    symbols: whenAsked(() => symbolLookup(symbolsIn(bytes, name))),
    sources: whenAsked(() => sourcesIn(wholeOf(bytes), name)),
    orc: () => orNothing(() => orcPlacesInElf(bytes, name)),
  };
}

function whenAsked<T>(read: () => (address: bigint) => T | undefined): (address: bigint) => T | undefined {
  let lookup: ((address: bigint) => T | undefined) | undefined;
  return (address) => {
    lookup ??= orNothing(read) ?? (() => undefined);
    return lookup(address);
  };
}

function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}

/** Source lines that an ELF file knows, read when they are first asked for; none of anything else. */
export function sourcesIn(bytes: Uint8Array, name: string): SourcePlaces {
  if (!isElf(bytes)) return () => undefined;
  let read: SourcePlaces | undefined;
  return (address) => {
    read ??= sourcesOnDisk(sourceLines(parseElf(bytes, name)));
    return read(address);
  };
}
