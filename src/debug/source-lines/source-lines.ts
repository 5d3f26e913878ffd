/** Source lines of code addresses, from the line tables of an ELF object. */
import { type ElfFile, type LinkedObject, LoadError } from '../../loader/index.ts';
import { compilationDirectories } from './compilation-directories.ts';
import { DebugBytes } from './debug-bytes.ts';
import { type DebugSections, debugSections, type PlaceOfSection } from './debug-sections.ts';
import { type LineSequence, lineSequences, visitRows } from './line-program.ts';
import { readLineTableHeader } from './line-table-header.ts';

export interface SourceLine {
  /** absolute where the compiler said where it ran */
  readonly file: string;
  /** from 1 */
  readonly line: number;
  /** from 1; 0: the line as a whole */
  readonly column: number;
}

/** undefined where no line is known. */
export type SourceLookup = (address: bigint) => SourceLine | undefined;

/**
 * A lookup in the line tables (DWARF 2 to 5). They are read when it is first asked. A table that is damaged, compressed or of a version that
 * is not known gives no lines: they are a help, and no reason to fail.
 * @param placeOf where the sections of a relocatable object are; an executable needs none
 */
export function sourceLines(elf: ElfFile, placeOf: PlaceOfSection = () => undefined): SourceLookup {
  let read: ReturnType<typeof readSequences> | undefined;
  return (address) => {
    read ??= readSequences(debugSections(elf, placeOf));
    const sequence = sequenceOf(read.sequences, address);
    return sequence === undefined ? undefined : lineIn(read.bytes, sequence, Number(address - sequence.base));
  };
}

/** As sourceLines, of an object that was linked. */
export function linkedSourceLines(elf: ElfFile, { sections }: LinkedObject): SourceLookup {
  return sourceLines(elf, (index) => {
    const address = sections.get(elf.sections[index]?.name ?? '');
    return address === undefined ? undefined : BigInt(address);
  });
}

function readSequences(sections: DebugSections): { bytes: DebugBytes; sequences: LineSequence[] } {
  const bytes = new DebugBytes(sections['.debug_line']);
  const directories = unlessDamaged(() => compilationDirectories(sections));
  const sequences: LineSequence[] = [];
  unlessDamaged(() => {
    for (let at = 0; at < bytes.lengthBytes; ) {
      const table = unlessDamaged(() => readLineTableHeader(bytes, sections, directories?.get(at)));
      const next = bytes.at;
      if (next <= at) return;
      if (table !== undefined) sequences.push(...(unlessDamaged(() => lineSequences(bytes, table)) ?? []));
      bytes.at = at = next;
    }
  });
  sequences.sort((a, b) => (startOf(a) < startOf(b) ? -1 : startOf(a) > startOf(b) ? 1 : 0));
  return { bytes, sequences };
}

function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof LoadError) return undefined;
    throw error;
  }
}

function startOf({ base, firstOffset }: LineSequence): bigint {
  return base + BigInt(firstOffset);
}

function sequenceOf(sequences: readonly LineSequence[], address: bigint): LineSequence | undefined {
  let low = 0;
  let high = sequences.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (startOf(sequences[middle]!) <= address) low = middle + 1;
    else high = middle;
  }
  const found = sequences[low - 1];
  return found === undefined || address >= found.base + BigInt(found.endOffset) ? undefined : found;
}

/** The last row that begins at or before the address: of several at one address, the last. */
function lineIn(bytes: DebugBytes, sequence: LineSequence, wanted: number): SourceLine | undefined {
  let found: SourceLine | undefined;
  visitRows(bytes, sequence, (offset, file, line, column) => {
    if (offset > wanted) return false;
    const path = sequence.header.files.get(file);
    found = path === undefined || line === 0 ? undefined : { file: path, line, column };
    return true;
  });
  return found;
}
