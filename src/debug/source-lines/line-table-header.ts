/** The header of one line table: how its program is encoded, and the files it speaks of (DWARF 5, "The Line Number Program Header"). */
import { LoadError } from '../../loader/index.ts';
import { type FormContext, readForm } from './attribute-forms.ts';
import type { DebugBytes } from './debug-bytes.ts';
import type { DebugSections } from './debug-sections.ts';

export interface LineTableHeader {
  /** of the table in .debug_line */
  readonly offset: number;
  /** first byte of the program, and the one after its last */
  readonly programStart: number;
  readonly programEnd: number;
  readonly minimumInstructionBytes: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** operands of each standard opcode, from opcode 1 on */
  readonly operandCounts: readonly number[];
  /** path of a file by the number that the program gives it, as absolute as the table knows it */
  readonly files: ReadonlyMap<number, string>;
}

const OLDEST = 2;
const NEWEST = 5;
const Content = { Path: 1, DirectoryIndex: 2 } as const;

/**
 * Reads a header, and moves to the end of the table.
 * @param directory where the compilation ran, which tables before version 5 do not say themselves
 * Throws a LoadError for what cannot be read; `bytes` is then at the end of the table where that much was clear.
 */
export function readLineTableHeader(
  bytes: DebugBytes,
  sections: DebugSections,
  directory: string | undefined,
): LineTableHeader {
  const offset = bytes.at;
  const { end, offsetBytes } = bytes.unitLength();
  try {
    const version = bytes.u16();
    if (version < OLDEST || version > NEWEST)
      throw new LoadError(`a line table has version ${version}; versions ${OLDEST} to ${NEWEST} are known`);
    const addressBytes = version >= 5 ? bytes.u8() : 8;
    if (version >= 5) bytes.u8(); // bytes of a segment selector
    const headerBytes = bytes.offset(offsetBytes);
    const programStart = bytes.at + headerBytes;
    const minimumInstructionBytes = bytes.u8();
    if (version >= 4 && bytes.u8() !== 1) throw new LoadError('a line table is for a processor with wide instructions');
    bytes.u8(); // whether rows are statements until told otherwise
    const lineBase = bytes.i8();
    const lineRange = bytes.u8();
    const opcodeBase = bytes.u8();
    if (lineRange === 0 || opcodeBase === 0) throw new LoadError('a line table has an impossible header');
    const operandCounts = Array.from({ length: opcodeBase - 1 }, () => bytes.u8());
    const files =
      version >= 5
        ? readEntries(bytes, { sections, version, offsetBytes, addressBytes })
        : readLists(bytes, directory ?? '');
    const encoding = { minimumInstructionBytes, lineBase, lineRange, opcodeBase, operandCounts };
    return { offset, programStart, programEnd: end, ...encoding, files };
  } finally {
    bytes.at = end;
  }
}

/** Versions 2 to 4: directories, then files, each list ended by an empty name; the first of each is number 1. */
function readLists(bytes: DebugBytes, compilation: string): Map<number, string> {
  const directories = [compilation];
  for (let name = bytes.text(); name !== ''; name = bytes.text()) directories.push(joined(compilation, name));
  const files = new Map<number, string>();
  for (let name = bytes.text(); name !== ''; name = bytes.text()) {
    files.set(files.size + 1, joined(directories[bytes.uleb()] ?? compilation, name));
    bytes.uleb(); // time of change
    bytes.uleb(); // size
  }
  return files;
}

/** Version 5: entries that say themselves what they are made of; directory 0 is that of the compilation. */
function readEntries(bytes: DebugBytes, context: FormContext): Map<number, string> {
  const [{ name: compilation = '' } = {}, ...others] = entryList(bytes, context);
  const directories = [compilation, ...others.map(({ name = '' }) => joined(compilation, name))];
  const files = entryList(bytes, context);
  return new Map(
    files.map(({ name = '', directory = 0 }, number) => [number, joined(directories[directory] ?? compilation, name)]),
  );
}

interface Entry {
  readonly name?: string;
  readonly directory?: number;
}

function entryList(bytes: DebugBytes, context: FormContext): Entry[] {
  const format = Array.from({ length: bytes.u8() }, () => ({ content: bytes.uleb(), form: bytes.uleb() }));
  const count = bytes.uleb();
  const entries: Entry[] = [];
  while (entries.length < count) {
    const before = bytes.at;
    const entry: { name?: string; directory?: number } = {};
    for (const { content, form } of format) {
      const value = readForm(form, bytes, context);
      if (content === Content.Path && typeof value === 'string') entry.name = value;
      if (content === Content.DirectoryIndex && typeof value === 'number') entry.directory = value;
    }
    if (bytes.at === before) throw new LoadError('a line table has entries without contents');
    entries.push(entry);
  }
  return entries;
}

function joined(directory: string, name: string): string {
  return name.startsWith('/') || directory === '' ? name : `${directory}/${name}`;
}
