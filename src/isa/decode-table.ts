/** Dense tables from opcode to layout. An entry is worked out when its opcode is first met: a guest meets few of them. */
import { invariant } from '../bits/index.ts';
import { type InstructionFeature, OPTIONAL_FEATURES } from './features.ts';
import { type Form, ImmediateCoding, type OperandKind, Prefix } from './instruction.ts';
import { rows } from './opcodes/index.ts';
import { FormIndex, type FormSyntax, type OperandSyntax, type SizeCode, Source } from './opcodes/syntax.ts';

export interface OperandLayout {
  readonly source: Source;
  readonly kind: OperandKind;
  /** bits; -1 = the address size */
  readonly size: number;
  readonly memorySize: number;
  readonly register: number;
}

/** A form at one operand size and code mode: nothing is left to compute but the bits of the instruction itself. */
export interface Layout {
  readonly form: Form;
  /** even, and no other layout has it or the next number, which stands for the same with a memory operand */
  readonly shape: number;
  readonly operandSize: number;
  readonly hasModrm: boolean;
  /** a memory operand is described by ModRM when mod is not 3 */
  readonly modrmMemory: boolean;
  readonly lockable: boolean;
  /** bits of `Prefix` that are part of the opcode */
  readonly mandatoryPrefix: number;
  readonly implicitBase: number;
  /** the index of the memory operand is a vector register of so many bits; 0: a general register */
  readonly vectorIndex: number;
  /** VEX.vvvv names an operand; otherwise it must be 0 (in the inverted form of the prefix, all ones) */
  readonly usesVvvv: boolean;
  readonly operands: readonly OperandLayout[];
  readonly immediateCoding: ImmediateCoding;
  /** 0, or the address size in which this layout holds; otherwise see `otherwise` */
  readonly addressSize: number;
  readonly otherwise: Layout | null;
}

/** operand sizes, prefixes, maps, opcodes */
const SLOTS = 3 * 4 * 4 * 256;
/** W, L, prefixes, maps, opcodes */
const VEX_SLOTS = 2 * 2 * 4 * 4 * 256;
export const GROUP = 0x8000;
/** an entry that has not been worked out yet */
export const UNKNOWN = 0x7fff;
export const GROUP_CELLS = 72;

function effectiveOperandSize(syntax: FormSyntax, prefixed: number, long: boolean): number {
  if (long && syntax.notes.has('f64')) return 64;
  if (syntax.mandatoryPrefix === Prefix.OperandSize && prefixed === 16) return 32;
  if (long && syntax.notes.has('d64') && prefixed === 32) return 64;
  if (syntax.notes.has('max32') && prefixed === 64) return 32;
  return prefixed;
}

function bits(code: SizeCode, operandSize: number): number {
  switch (code) {
    case 'v':
      return operandSize;
    case 'z':
      return Math.min(operandSize, 32);
    case 'y':
      return Math.max(operandSize, 32);
    case 'a':
      return -1;
    case 'far':
      return 16 + operandSize;
    case 'pair':
      return 2 * operandSize;
    case 'element':
      return operandSize;
    default:
      return code;
  }
}

/** Operands that the bytes behind the opcode, ModRM, SIB and displacement name. */
const IN_IMMEDIATES: ReadonlySet<Source> = new Set([
  Source.Imm8,
  Source.SignedImm8,
  Source.Imm16,
  Source.ImmZ,
  Source.ImmV,
  Source.Rel8,
  Source.RelZ,
  Source.Far,
  Source.Moffs,
  Source.Is4,
]);

function immediateCoding(syntax: FormSyntax, operandSize: number): ImmediateCoding {
  const sources = syntax.operands.map(({ source }) => source).filter((source) => IN_IMMEDIATES.has(source));
  if (sources.length === 0) return ImmediateCoding.None;
  if (sources.length > 1) return ImmediateCoding.Other;
  switch (sources[0]) {
    case Source.Imm8:
      return ImmediateCoding.Byte;
    case Source.Imm16:
      return ImmediateCoding.Word;
    case Source.SignedImm8:
      return operandSize === 16 ? ImmediateCoding.SignedByteTo16 : ImmediateCoding.SignedByte;
    case Source.Rel8:
      return ImmediateCoding.SignedByte;
    case Source.RelZ:
      return operandSize === 16 ? ImmediateCoding.Other : ImmediateCoding.SignedDoubleword;
    case Source.ImmZ:
      return operandSize === 16 ? ImmediateCoding.Word : ImmediateCoding.SignedDoubleword;
    case Source.ImmV:
      return [ImmediateCoding.Word, ImmediateCoding.SignedDoubleword, ImmediateCoding.Quadword][operandSize >> 5]!;
    default:
      return ImmediateCoding.Other;
  }
}

let layoutsMade = 0;

function makeLayout(syntax: FormSyntax, operandSize: number, otherwise: Layout | null): Layout {
  const operandLayout = (operand: OperandSyntax): OperandLayout => ({
    source: operand.source,
    kind: operand.kind,
    size: bits(operand.size, operandSize),
    memorySize: bits(operand.memorySize, operandSize),
    register: operand.register,
  });
  return {
    form: syntax.form,
    shape: (layoutsMade += 2),
    operandSize,
    hasModrm: syntax.hasModrm,
    modrmMemory: syntax.hasModrm && !syntax.notes.has('modany'),
    lockable: syntax.notes.has('lock'),
    mandatoryPrefix: syntax.mandatoryPrefix,
    implicitBase: syntax.implicitBase,
    vectorIndex: Math.max(0, ...syntax.operands.map((operand) => operand.vectorIndex)),
    usesVvvv: syntax.operands.some((operand) => operand.source === Source.Vvvv),
    operands: syntax.operands.map(operandLayout),
    immediateCoding: immediateCoding(syntax, operandSize),
    addressSize: syntax.onlyAddressSize,
    otherwise,
  };
}

interface Candidate {
  readonly syntax: FormSyntax;
  readonly operandSize: number;
}

/** One opcode under one prefix and operand size, while the table is being filled. Cell 72 is "no ModRM". */
type Slot = (readonly Candidate[] | undefined)[];

function addCandidate(slot: Slot, cell: number, alone: readonly [Candidate]): void {
  const present = slot[cell];
  const best = present?.[0];
  const [candidate] = alone;
  const { rank, form, onlyAddressSize } = candidate.syntax;
  if (!present || !best || best.syntax.rank < rank) slot[cell] = alone;
  else if (best.syntax.rank === rank) {
    const apart = onlyAddressSize !== 0 && present.every((one) => one.syntax.onlyAddressSize !== onlyAddressSize);
    invariant(apart, `opcode rows ${best.syntax.form.mnemonic} and ${form.mnemonic} overlap`);
    slot[cell] = [...present, candidate];
  }
}

function fillSlot(slot: Slot, candidate: Candidate): void {
  const alone = [candidate] as const;
  if (candidate.syntax.hasModrm) for (const cell of candidate.syntax.cells) addCandidate(slot, cell, alone);
  else addCandidate(slot, GROUP_CELLS, alone);
}

/** The table of 64-bit code (`long`) or of 16- and 32-bit code. */
export class DecodeTable {
  /** ((operand size 16, 32, 64 as 0-2) * 4 + prefix none, 66, F3, F2) * 4 + map, times 256, plus opcode: 0 invalid, a layout number, GROUP + group number, or UNKNOWN */
  readonly entries = new Uint16Array(SLOTS).fill(UNKNOWN);
  /** the same for VEX: ((W * 2 + L) * 4 + prefix) * 4 + map, times 256, plus opcode */
  readonly vexEntries = new Uint16Array(VEX_SLOTS).fill(UNKNOWN);
  /** 72 layout numbers per group: memory by reg field, then register by ModRM bits 5:0 */
  readonly groups: number[] = [];
  readonly layouts: (Layout | null)[] = [null];
  readonly #forms: FormIndex;
  readonly #long: boolean;
  readonly #numbers = new Map<string, number>();

  constructor(forms: FormIndex, long: boolean) {
    this.#forms = forms;
    this.#long = long;
  }

  /** Works out an entry that is UNKNOWN. */
  resolve(index: number): number {
    const slot: Slot = new Array(GROUP_CELLS + 1);
    const [prefix, sizeIndex] = [(index >> 10) & 3, index >> 12];
    for (const syntax of this.#formsAt(index)) {
      if (syntax.vex !== undefined || !syntax.prefixes.includes(prefix) || (sizeIndex === 2 && !this.#long)) continue;
      const operandSize = effectiveOperandSize(syntax, 16 << sizeIndex, this.#long);
      if (syntax.onlyOperandSize === 0 || syntax.onlyOperandSize === operandSize)
        fillSlot(slot, { syntax, operandSize });
    }
    this.entries[index] = this.#entryOf(slot);
    return this.entries[index]!;
  }

  /** Works out a VEX entry that is UNKNOWN. */
  resolveVex(index: number): number {
    const slot: Slot = new Array(GROUP_CELLS + 1);
    const [prefix, length, wide] = [(index >> 10) & 3, (index >> 12) & 1, index >> 13];
    for (const syntax of this.#formsAt(index)) {
      const { vex, onlyOperandSize } = syntax;
      if (!vex?.wides.includes(wide) || !vex.lengths.includes(length) || syntax.prefixes[0] !== prefix) continue;
      const operandSize = (vex.sized && this.#long && wide === 1) || vex.wides[0] === 1 ? 64 : 32;
      if (onlyOperandSize === 0 || onlyOperandSize === operandSize) fillSlot(slot, { syntax, operandSize });
    }
    this.vexEntries[index] = this.#entryOf(slot);
    return this.vexEntries[index]!;
  }

  #formsAt(index: number): readonly FormSyntax[] {
    const elsewhere = this.#long ? 'i64' : 'only64';
    return this.#forms.at((index >> 8) & 3, index & 255).filter(({ notes }) => !notes.has(elsewhere));
  }

  #entryOf(slot: Slot): number {
    const direct = slot[GROUP_CELLS];
    if (direct) {
      invariant(
        slot.filter(Boolean).length === 1,
        `${direct[0]?.syntax.form.mnemonic} shares an opcode with ModRM rows`,
      );
      return this.#number(direct);
    }
    const cells: number[] = [];
    for (let cell = 0; cell < GROUP_CELLS; cell += 1)
      cells.push(cell > 0 && slot[cell] === slot[cell - 1] ? cells[cell - 1]! : this.#number(slot[cell]));
    if (cells.every((each) => each === cells[0])) return cells[0]!;
    return GROUP + this.groups.push(...cells) / GROUP_CELLS - 1;
  }

  #number(candidates: readonly Candidate[] | undefined): number {
    if (!candidates) return 0;
    const key = candidates.map((one) => `${one.syntax.form.id}/${one.operandSize}`).join();
    let number = this.#numbers.get(key);
    if (number === undefined) {
      const layout = candidates.reduce<Layout | null>(
        (rest, one) => makeLayout(one.syntax, one.operandSize, rest),
        null,
      );
      number = this.layouts.push(layout) - 1;
      invariant(number < UNKNOWN, 'layout numbers fit below the marks');
      this.#numbers.set(key, number);
    }
    return number;
  }
}

const built = new Map<string, readonly [DecodeTable, DecodeTable]>();

/** Tables for 16/32-bit code and for 64-bit code, shared by all decoders with these features. */
export function decodeTables(features: readonly InstructionFeature[]): readonly [DecodeTable, DecodeTable] {
  const absent: readonly string[] = OPTIONAL_FEATURES.filter((feature) => !features.includes(feature));
  const key = absent.join();
  let tables = built.get(key);
  if (!tables) {
    const forms = new FormIndex(rows, absent);
    tables = [new DecodeTable(forms, false), new DecodeTable(forms, true)];
    built.set(key, tables);
  }
  return tables;
}
