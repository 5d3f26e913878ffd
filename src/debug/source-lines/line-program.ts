/** Runs the program of a line table: a row for each instruction where a source line begins (DWARF 5, "Line Number Information"). */
import type { DebugBytes } from './debug-bytes.ts';
import type { LineTableHeader } from './line-table-header.ts';

/** Where the rows of one stretch of code are, in ascending order of addresses. */
export interface LineSequence {
  readonly header: LineTableHeader;
  /** first opcode of its part of the program */
  readonly start: number;
  /** address that the offsets of its rows count from */
  readonly base: bigint;
  /** offsets of the first row, and of the first byte after the stretch */
  readonly firstOffset: number;
  readonly endOffset: number;
}

/** Told of each row. `offset` counts bytes from `base`; false: enough. */
export type OnRow = (offset: number, file: number, line: number, column: number) => boolean;

const Standard = {
  Copy: 1,
  AdvancePc: 2,
  AdvanceLine: 3,
  SetFile: 4,
  SetColumn: 5,
  ConstAddPc: 8,
  FixedAdvancePc: 9,
} as const;
const Extended = { EndSequence: 1, SetAddress: 2 } as const;
const LAST_OPCODE = 255;

/** The registers of the machine that a line program runs on. */
class LineMachine {
  readonly #bytes: DebugBytes;
  readonly #header: LineTableHeader;
  #base: bigint | undefined;
  #offset = 0;

  constructor(bytes: DebugBytes, header: LineTableHeader) {
    this.#bytes = bytes;
    this.#header = header;
  }

  /** Runs from where the bytes are to the end of a sequence, or to the end of the program: then undefined. */
  runSequence(onRow: OnRow): { readonly base: bigint; readonly endOffset: number } | undefined {
    const bytes = this.#bytes;
    const { opcodeBase, lineBase, lineRange, operandCounts, programEnd } = this.#header;
    let file = 1;
    let line = 1;
    let column = 0;
    while (bytes.at < programEnd) {
      const opcode = bytes.u8();
      if (opcode >= opcodeBase) {
        const adjusted = opcode - opcodeBase;
        this.#advance(Math.trunc(adjusted / lineRange));
        line += lineBase + (adjusted % lineRange);
        if (!onRow(this.#offset, file, line, column)) return undefined;
        continue;
      }
      switch (opcode) {
        case 0: {
          const length = bytes.uleb();
          const next = bytes.at + length;
          const extended = length === 0 ? 0 : bytes.u8();
          if (extended === Extended.EndSequence) return { base: this.#base ?? 0n, endOffset: this.#offset };
          if (extended === Extended.SetAddress) this.#setAddress(length === 9 ? bytes.u64() : BigInt(bytes.u32()));
          bytes.at = next;
          break;
        }
        case Standard.Copy:
          if (!onRow(this.#offset, file, line, column)) return undefined;
          break;
        case Standard.AdvancePc:
          this.#advance(bytes.uleb());
          break;
        case Standard.AdvanceLine:
          line += bytes.sleb();
          break;
        case Standard.SetFile:
          file = bytes.uleb();
          break;
        case Standard.SetColumn:
          column = bytes.uleb();
          break;
        case Standard.ConstAddPc:
          this.#advance(Math.trunc((LAST_OPCODE - opcodeBase) / lineRange));
          break;
        case Standard.FixedAdvancePc:
          this.#offset += bytes.u16();
          break;
        default: // marks of a row that no line needs, or an opcode of a later day
          for (let operand = 0; operand < operandCounts[opcode - 1]!; operand++) bytes.uleb();
      }
    }
    return undefined;
  }

  #advance(instructions: number): void {
    this.#offset += instructions * this.#header.minimumInstructionBytes;
  }

  #setAddress(address: bigint): void {
    this.#base ??= address - BigInt(this.#offset);
    this.#offset = Number(address - this.#base);
  }
}

/** The sequences of a table, without their rows. Throws a LoadError where the program is cut short. */
export function lineSequences(bytes: DebugBytes, header: LineTableHeader): LineSequence[] {
  const sequences: LineSequence[] = [];
  bytes.at = header.programStart;
  while (bytes.at < header.programEnd) {
    const start = bytes.at;
    let firstOffset: number | undefined;
    const end = new LineMachine(bytes, header).runSequence((offset) => {
      firstOffset ??= offset;
      return true;
    });
    if (end !== undefined && firstOffset !== undefined && end.endOffset > firstOffset)
      sequences.push({ header, start, firstOffset, ...end });
  }
  return sequences;
}

/** The rows of a sequence, in order, until `onRow` has enough. */
export function visitRows(bytes: DebugBytes, { header, start }: LineSequence, onRow: OnRow): void {
  bytes.at = start;
  new LineMachine(bytes, header).runSequence(onRow);
}
