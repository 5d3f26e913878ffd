/** Dense tables from opcode to layout, built once per set of features. */
import { invariant } from '../bits/index.ts';
import { type Form, type OperandKind, Prefix } from './instruction.ts';
import { rows } from './opcodes/index.ts';
import { type FormSyntax, type OperandSyntax, parseRows, type SizeCode, type Source } from './opcodes/syntax.ts';

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
  readonly operandSize: number;
  readonly hasModrm: boolean;
  /** a memory operand is described by ModRM when mod is not 3 */
  readonly modrmMemory: boolean;
  readonly lockable: boolean;
  /** bits of `Prefix` that are part of the opcode */
  readonly mandatoryPrefix: number;
  readonly implicitBase: number;
  readonly operands: readonly OperandLayout[];
  /** 0, or the address size in which this layout holds; otherwise see `otherwise` */
  readonly addressSize: number;
  readonly otherwise: Layout | null;
}

export interface DecodeTable {
  /** ((operand size 16, 32, 64 as 0-2) * 4 + prefix none, 66, F3, F2) * 4 + map, times 256, plus opcode: 0 invalid, a layout number, or GROUP + group number */
  readonly entries: Uint16Array;
  /** 72 layout numbers per group: memory by reg field, then register by ModRM bits 5:0 */
  readonly groups: Uint16Array;
  readonly layouts: readonly (Layout | null)[];
}

/** operand sizes, prefixes, maps, opcodes */
const SLOTS = 3 * 4 * 4 * 256;
export const GROUP = 0x8000;
export const GROUP_CELLS = 72;

export interface DecoderFeatures {
  /** TZCNT at F3 0F BC; without it the processor executes BSF */
  readonly bmi?: boolean;
  /** LZCNT at F3 0F BD; without it the processor executes BSR */
  readonly lzcnt?: boolean;
}

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
    default:
      return code;
  }
}

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
    operandSize,
    hasModrm: syntax.hasModrm,
    modrmMemory: syntax.hasModrm && !syntax.notes.has('modany'),
    lockable: syntax.notes.has('lock'),
    mandatoryPrefix: syntax.mandatoryPrefix,
    implicitBase: syntax.implicitBase,
    operands: syntax.operands.map(operandLayout),
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

function fillSlots(forms: readonly FormSyntax[], long: boolean): (Slot | undefined)[] {
  const slots = new Array<Slot | undefined>(SLOTS);
  for (const syntax of forms) {
    if (syntax.notes.has(long ? 'i64' : 'only64')) continue;
    for (let sizeIndex = 0; sizeIndex < (long ? 3 : 2); sizeIndex += 1) {
      const operandSize = effectiveOperandSize(syntax, 16 << sizeIndex, long);
      if (syntax.onlyOperandSize !== 0 && syntax.onlyOperandSize !== operandSize) continue;
      for (const prefix of syntax.prefixes) {
        const slot = (slots[(((sizeIndex * 4 + prefix) * 4 + syntax.map) << 8) | syntax.opcode] ??= new Array(
          GROUP_CELLS + 1,
        ));
        const alone = [{ syntax, operandSize }] as const;
        if (syntax.hasModrm) for (const cell of syntax.cells) addCandidate(slot, cell, alone);
        else addCandidate(slot, GROUP_CELLS, alone);
      }
    }
  }
  return slots;
}

/** Builds the table of 64-bit code (`long`) or of 16- and 32-bit code. */
function buildTable(forms: readonly FormSyntax[], long: boolean): DecodeTable {
  const layouts: (Layout | null)[] = [null];
  const numbers = new Map<string, number>();
  const seen = new Map<readonly Candidate[], number>();
  const number = (candidates: readonly Candidate[] | undefined): number => {
    if (!candidates) return 0;
    const known = seen.get(candidates);
    if (known !== undefined) return known;
    const key = candidates.map((one) => `${one.syntax.form.id}/${one.operandSize}`).join();
    let found = numbers.get(key);
    if (found === undefined) {
      const layout = candidates.reduce<Layout | null>(
        (rest, one) => makeLayout(one.syntax, one.operandSize, rest),
        null,
      );
      found = layouts.push(layout) - 1;
      numbers.set(key, found);
    }
    seen.set(candidates, found);
    return found;
  };

  const entries = new Uint16Array(SLOTS);
  const groups: number[] = [];
  const cells = new Uint16Array(GROUP_CELLS);
  fillSlots(forms, long).forEach((slot, index) => {
    if (!slot) return;
    const direct = slot[GROUP_CELLS];
    if (direct) {
      invariant(
        slot.filter(Boolean).length === 1,
        `${direct[0]?.syntax.form.mnemonic} shares an opcode with ModRM rows`,
      );
      entries[index] = number(direct);
      return;
    }
    let uniform = true;
    for (let cell = 0; cell < GROUP_CELLS; cell += 1) {
      cells[cell] = cell > 0 && slot[cell] === slot[cell - 1] ? (cells[cell - 1] ?? 0) : number(slot[cell]);
      uniform &&= cells[cell] === cells[0];
    }
    if (uniform) entries[index] = cells[0] ?? 0;
    else entries[index] = GROUP + (groups.push(...cells) / GROUP_CELLS - 1);
  });
  invariant(layouts.length < GROUP, 'layout numbers fit below the group mark');
  return { entries, groups: Uint16Array.from(groups), layouts };
}

const built = new Map<string, readonly [DecodeTable, DecodeTable]>();

/** Tables for 16/32-bit code and for 64-bit code, shared by all decoders with these features. */
export function decodeTables(features: DecoderFeatures): readonly [DecodeTable, DecodeTable] {
  const absent = [...(features.bmi ? [] : ['BMI1']), ...(features.lzcnt ? [] : ['LZCNT'])];
  const key = absent.join();
  let tables = built.get(key);
  if (!tables) {
    const forms = parseRows(rows).filter((syntax) => !absent.includes(syntax.form.feature));
    tables = [buildTable(forms, false), buildTable(forms, true)];
    built.set(key, tables);
  }
  return tables;
}
