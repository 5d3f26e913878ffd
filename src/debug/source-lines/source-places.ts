/** A line of source with its text, for people. */
import type { SourceLine, SourceLookup } from './source-lines.ts';

export interface SourcePlace extends SourceLine {
  /** what the line says, without its line end; undefined where the file is not there, or is shorter */
  readonly text: string | undefined;
}

/** undefined where no line is known. */
export type SourcePlaces = (address: bigint) => SourcePlace | undefined;

/** @param readText the contents of a file; undefined where it cannot be read. Asked once a file. */
export function sourcePlaces(lookup: SourceLookup, readText: (file: string) => string | undefined): SourcePlaces {
  const files = new Map<string, readonly string[]>();
  const linesOf = (file: string): readonly string[] => {
    const known = files.get(file) ?? readText(file)?.split(/\r?\n/) ?? [];
    files.set(file, known);
    return known;
  };
  return (address) => {
    const found = lookup(address);
    return found === undefined ? undefined : { ...found, text: linesOf(found.file)[found.line - 1] };
  };
}

/** "calls.S:12" */
export function placeText({ file, line }: Pick<SourceLine, 'file' | 'line'>): string {
  return `${file}:${line}`;
}
