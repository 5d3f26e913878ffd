/** Turns the notation of rows into fields when an opcode is first asked for. */
import { invariant } from '../../bits/index.ts';
import { type Form, OperandKind, Prefix, VectorState } from '../instruction.ts';
import type { Row } from './row.ts';

/** Where the bits of an operand are found. */
export const Source = {
  Reg: 1,
  Rm: 2,
  OpcodeReg: 3,
  Fixed: 4,
  Imm8: 5,
  SignedImm8: 6,
  Imm16: 7,
  ImmZ: 8,
  ImmV: 9,
  Rel8: 10,
  RelZ: 11,
  Moffs: 12,
  StringSource: 13,
  StringDestination: 14,
  Xlat: 15,
  Far: 16,
  One: 17,
  /** VEX.vvvv */
  Vvvv: 18,
  /** bits 7:4 of an immediate byte */
  Is4: 19,
} as const;
export type Source = (typeof Source)[keyof typeof Source];

/** A number of bits, or a letter that depends on the operand size; 'a' is the address size, 'element' what VEX.W says a gather loads. */
export type SizeCode = number | 'v' | 'z' | 'y' | 'a' | 'far' | 'pair' | 'element';

export interface OperandSyntax {
  readonly source: Source;
  /** kind when it is not memory */
  readonly kind: OperandKind;
  readonly size: SizeCode;
  readonly memorySize: SizeCode;
  /** of a `Fixed` operand */
  readonly register: number;
  /** bits of the vector register that is the index of a memory operand; 0: a general register is */
  readonly vectorIndex: 0 | 128 | 256;
}

/** What a row demands of a VEX prefix. */
export interface VexSyntax {
  /** values of VEX.L and VEX.W at which the row is found */
  readonly lengths: readonly number[];
  readonly wides: readonly number[];
  /** VEX.W chooses the operand size (in 64-bit mode) */
  readonly sized: boolean;
}

export interface FormSyntax {
  readonly form: Form;
  readonly vex: VexSyntax | undefined;
  readonly map: 0 | 1 | 2 | 3;
  readonly opcode: number;
  /** indices into none, 66, F3, F2 at which the row is found */
  readonly prefixes: readonly number[];
  /** bits of `Prefix` that are part of the opcode */
  readonly mandatoryPrefix: number;
  readonly hasModrm: boolean;
  /** cells 0-7: memory with that reg field; 8-71: register, ModRM bits 5:0 */
  readonly cells: readonly number[];
  /** the more specific row wins */
  readonly rank: number;
  readonly operands: readonly OperandSyntax[];
  readonly notes: ReadonlySet<string>;
  /** 0, or the only operand size in which the row exists */
  readonly onlyOperandSize: number;
  /** 0, or the only address size in which the row exists */
  readonly onlyAddressSize: number;
  /** base register of an implicit memory operand, or -1 */
  readonly implicitBase: number;
}

const CONDITIONS = ['O', 'NO', 'B', 'AE', 'E', 'NE', 'BE', 'A', 'S', 'NS', 'P', 'NP', 'L', 'GE', 'LE', 'G'];
const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'];
const FLAG_NOTE = /^(lock|i64|only64|d64|f64|max32|modany|vector)$/;

function operand(source: Source, kind: OperandKind, size: SizeCode, register = 0, memorySize = size): OperandSyntax {
  return { source, kind, size, memorySize, register, vectorIndex: 0 };
}

const { Gpr, Memory, Immediate, Relative, FarPointer, Segment, Control, Debug, Xmm, Ymm, Mmx, X87 } = OperandKind;
const LITERAL: Readonly<Record<string, OperandSyntax>> = {
  AL: operand(Source.Fixed, Gpr, 8),
  AX: operand(Source.Fixed, Gpr, 16),
  rAX: operand(Source.Fixed, Gpr, 'v'),
  CL: operand(Source.Fixed, Gpr, 8, 1),
  DX: operand(Source.Fixed, Gpr, 16, 2),
  '1': operand(Source.One, Immediate, 8),
  imm8: operand(Source.Imm8, Immediate, 8),
  simm8: operand(Source.SignedImm8, Immediate, 'v'),
  imm16: operand(Source.Imm16, Immediate, 16),
  immz: operand(Source.ImmZ, Immediate, 'v'),
  immv: operand(Source.ImmV, Immediate, 'v'),
  rel8: operand(Source.Rel8, Relative, 'v'),
  relz: operand(Source.RelZ, Relative, 'v'),
  'ptr16:z': operand(Source.Far, FarPointer, 'far'),
  moffs8: operand(Source.Moffs, Memory, 8),
  moffsv: operand(Source.Moffs, Memory, 'v'),
  '[rSI]8': operand(Source.StringSource, Memory, 8),
  '[rSI]v': operand(Source.StringSource, Memory, 'v'),
  '[rDI]8': operand(Source.StringDestination, Memory, 8),
  '[rDI]v': operand(Source.StringDestination, Memory, 'v'),
  '[rBX]8': operand(Source.Xlat, Memory, 8),
  'ST(0)': operand(Source.Fixed, X87, 80),
  'ST(i)': operand(Source.Rm, X87, 80),
  '<XMM0>': operand(Source.Fixed, Xmm, 128),
  Sreg: operand(Source.Reg, Segment, 16),
  CR: operand(Source.Reg, Control, 'v'),
  DR: operand(Source.Reg, Debug, 'v'),
};

function sizeCode(text: string): SizeCode {
  if (text === '') return 0;
  if (text === 'v' || text === 'z' || text === 'y' || text === 'a') return text;
  if (text === '16:v') return 'far';
  if (text === 'v&v') return 'pair';
  return Number.parseInt(text, 10);
}

/** A register or register/memory operand: r8, rv/m16, xmm/m128, m64, m, vm32x. */
function registerOrMemory(text: string, source: Source): OperandSyntax {
  const vector = /^vm(?:32|64)([xy])$/.exec(text);
  if (vector) return { ...operand(source, Memory, 'element'), vectorIndex: vector[1] === 'x' ? 128 : 256 };
  const match = /^(?:(xmm|ymm|mm|r)(\d*|[vzya]))?(?:\/?m(.*))?$/.exec(text);
  invariant(match, `operand notation "${text}"`);
  const [, file, registerSize = '', memorySize] = match;
  const memory = memorySize === undefined ? 0 : sizeCode(memorySize.replace(/(fp|int|bcd)$/, ''));
  if (file === 'xmm') return operand(source, Xmm, 128, 0, memory);
  if (file === 'ymm') return operand(source, Ymm, 256, 0, memory);
  if (file === 'mm') return operand(source, Mmx, 64, 0, memory);
  return operand(source, file ? Gpr : Memory, registerSize === '' ? memory : sizeCode(registerSize), 0, memory);
}

const OPERAND_ENCODING: Readonly<Record<string, Source>> = {
  R: Source.Reg,
  M: Source.Rm,
  V: Source.Vvvv,
  I: Source.Is4,
};

/** `encoding` says where each operand that is not an immediate or implied is found, in the letters of the SDM's column "Op/En"; '': by the operands' looks. */
function parseOperands(
  texts: readonly string[],
  opcodeRegister: boolean,
  modrm: string,
  encoding: string,
): OperandSyntax[] {
  if (encoding !== '')
    return texts.map((text, index) => LITERAL[text] ?? registerOrMemory(text, OPERAND_ENCODING[encoding[index]!]!));
  const isRegister = (text: string) => /^(r(8|16|32|64|[vzya])|xmm|ymm|mm)$/.test(text);
  const isMemory = (text: string) => text.includes('/') || /^m(\d|[vy]|$)/.test(text);
  const lastRegister = texts.findLastIndex(isRegister);
  const rm = texts.some(isMemory) ? texts.findIndex(isMemory) : lastRegister;
  return texts.map((text, index) => {
    const literal = LITERAL[text];
    if (literal) return literal;
    if (SEGMENTS.includes(text)) return operand(Source.Fixed, Segment, 16, SEGMENTS.indexOf(text));
    if (opcodeRegister) return registerOrMemory(text, Source.OpcodeReg);
    invariant(modrm !== '', `operand "${text}" needs a ModRM byte`);
    return registerOrMemory(text, index === rm ? Source.Rm : Source.Reg);
  });
}

/** The ModRM values at which a row applies, as cell numbers. */
function modrmCells(modrm: string, exact: string, takesMemory: boolean, takesRegister: boolean): number[] {
  if (exact !== '') {
    const [byte = '', low] = exact.split('+');
    const first = 8 + (Number.parseInt(byte, 16) & 63);
    return low === undefined ? [first] : [0, 1, 2, 3, 4, 5, 6, 7].map((i) => first + i);
  }
  const cells: number[] = [];
  for (let cell = 0; cell < 72; cell += 1) {
    const reg = cell < 8 ? cell : (cell - 8) >> 3;
    const fits = modrm === '/r' || modrm === `/${reg}`;
    if (fits && (cell < 8 ? takesMemory : takesRegister)) cells.push(cell);
  }
  return cells;
}

const MANDATORY: Readonly<Record<string, number>> = { '66': Prefix.OperandSize, F3: Prefix.Rep, F2: Prefix.RepNe };

function parsePrefix(tokens: string[]): { prefixes: number[]; rank: number; mandatoryPrefix: number } {
  const first = tokens[0];
  const named: Record<string, number[]> = { NP: [0], NFx: [0, 1], '66': [1], F3: [2], F2: [3] };
  const prefixes = first === undefined || tokens[1] === undefined || /^[/]/.test(tokens[1]) ? undefined : named[first];
  if (!prefixes) return { prefixes: [0, 1, 2, 3], rank: 0, mandatoryPrefix: 0 };
  tokens.shift();
  return { prefixes, rank: prefixes.length === 1 ? 16 : 8, mandatoryPrefix: MANDATORY[first ?? ''] ?? 0 };
}

const LENGTHS: Readonly<Record<string, readonly number[]>> = { 128: [0], LZ: [0], 256: [1], LIG: [0, 1] };
const WIDES: Readonly<Record<string, readonly number[]>> = { W0: [0], W1: [1] };
const MAPS: Readonly<Record<string, 1 | 2 | 3>> = { '0F': 1, '0F38': 2, '0F3A': 3 };
const PREFIX_INDEX: Readonly<Record<string, number>> = { '66': 1, F3: 2, F2: 3 };

/** VEX.128.66.0F38.W0 and the like. */
function parseVex(text: string): { vex: VexSyntax; map: 1 | 2 | 3; prefix: number } {
  const [, length = '', ...rest] = text.split('.');
  const prefix = PREFIX_INDEX[rest[0] ?? ''] ?? 0;
  if (prefix !== 0) rest.shift();
  const [mapText = '', wide] = rest;
  const lengths = LENGTHS[length];
  const map = MAPS[mapText];
  invariant(lengths && map, `VEX notation "${text}"`);
  return { vex: { lengths, wides: WIDES[wide ?? ''] ?? [0, 1], sized: wide === undefined }, map, prefix };
}

/** Where the operands of a VEX row are found: what its `en:` note says, or reg, vvvv, rm and bits of an immediate, as in most. */
function operandEncoding(texts: readonly string[], note: string | undefined): string {
  if (note !== undefined) return note.slice(3);
  const places = texts.filter((text) => LITERAL[text] === undefined).length;
  return places === 3 ? 'RVM' : places === 4 ? 'RVMI' : '';
}

function sizeNote(notes: ReadonlySet<string>, letter: string): number {
  return [16, 32, 64].find((size) => notes.has(`${letter}${size}`)) ?? 0;
}

/** What the text of an opcode says. */
interface OpcodeSyntax {
  readonly vex: VexSyntax | undefined;
  readonly map: 0 | 1 | 2 | 3;
  readonly prefixes: readonly number[];
  readonly prefixRank: number;
  readonly mandatoryPrefix: number;
  /** a `+r` row stands at eight opcodes, others at one */
  readonly opcodes: readonly number[];
  readonly opcodeRegister: boolean;
  /** "/r", "/3" and the like */
  readonly modrm: string;
  /** "C1" and the like: the one ModRM byte, or with "+i" the eight */
  readonly exact: string;
}

function parseOpcode(text: string): OpcodeSyntax {
  const tokens = text.split(' ');
  const vexed = tokens[0]?.startsWith('VEX.') ? parseVex(tokens.shift() ?? '') : undefined;
  const {
    prefixes,
    rank: prefixRank,
    mandatoryPrefix,
  } = vexed ? { prefixes: [vexed.prefix], rank: 0, mandatoryPrefix: 0 } : parsePrefix(tokens);
  let map: 0 | 1 | 2 | 3 = vexed?.map ?? 0;
  const mapBytes = /^0F( 38| 3A)? [0-9A-F]/.exec(tokens.join(' '));
  if (mapBytes) {
    map = mapBytes[1] === undefined ? 1 : mapBytes[1] === ' 38' ? 2 : 3;
    tokens.splice(0, map === 1 ? 1 : 2);
  }
  const [byte = '', plus] = (tokens.shift() ?? '').split('+');
  const modrm = tokens[0]?.startsWith('/') ? (tokens.shift() ?? '') : '';
  const exact = tokens.shift() ?? '';
  invariant(tokens.length === 0, `opcode notation "${text}"`);
  const first = Number.parseInt(byte, 16);
  const opcodeRegister = plus === 'r';
  const opcodes = opcodeRegister ? Array.from({ length: 8 }, (_, i) => first + i) : [first];
  return { vex: vexed?.vex, map, prefixes, prefixRank, mandatoryPrefix, opcodes, opcodeRegister, modrm, exact };
}

/** A form whose opcode is known and whose other notation is read when somebody asks. */
interface UnreadForm {
  readonly id: number;
  readonly place: OpcodeSyntax;
  readonly syntax: string;
  readonly notes: string;
  /** -1, or the number of the condition that the row of `family` stands for here */
  readonly condition: number;
  readonly family: string;
}

function readForm({ id, place, syntax, notes: notesText, condition, family }: UnreadForm, opcode: number): FormSyntax {
  const { vex, modrm, exact } = place;
  const space = syntax.indexOf(' ');
  const mnemonic = space < 0 ? syntax : syntax.slice(0, space);
  const texts = space < 0 ? [] : syntax.slice(space + 1).split(', ');
  const noteTexts = notesText.split(' ').filter((note) => note !== '');
  for (const text of noteTexts)
    invariant(/^[oa](16|32|64)$|^=|^at:|^en:|^[A-Z]/.test(text) || FLAG_NOTE.test(text), `note "${text}" of ${syntax}`);
  const notes = new Set(noteTexts);
  const note = (pattern: RegExp) => noteTexts.find((text) => pattern.test(text));
  const encoding = vex ? operandEncoding(texts, note(/^en:/)) : '';
  const operands = parseOperands(texts, place.opcodeRegister, modrm || exact, encoding);
  const modAny = notes.has('modany');
  const rmText = texts[operands.findIndex((one) => one.source === Source.Rm)] ?? '';
  const takesMemory = modAny || rmText.includes('m') ? modAny || /(^v?|\/)m(?!m)/.test(rmText) : rmText === '';
  const takesRegister = modAny || !/^v?m(?!m)/.test(rmText);
  const implicit = note(/^at:/);
  const onlyOperandSize = sizeNote(notes, 'o');
  const usesVectors = notes.has('vector') || operands.some(({ kind }) => kind === Xmm || kind === Ymm);
  const vectorState = !usesVectors ? VectorState.None : vex ? VectorState.Avx : VectorState.Sse;
  return {
    form: {
      id,
      mnemonic,
      operation: family !== '' ? family : (note(/^=/)?.slice(1) ?? mnemonic),
      condition,
      feature: featureOf(notesText),
      vex: vex !== undefined,
      vectorState,
    },
    vex,
    map: place.map,
    opcode,
    prefixes: place.prefixes,
    mandatoryPrefix: place.mandatoryPrefix,
    hasModrm: modrm !== '' || exact !== '',
    cells: modrm === '' && exact === '' ? [] : modrmCells(modrm, exact, takesMemory, takesRegister),
    rank:
      place.prefixRank +
      (exact !== '' ? 4 : modrm.length > 1 && modrm !== '/r' ? 2 : 0) +
      (onlyOperandSize ? 1 : 0) -
      (place.opcodeRegister ? 1 : 0),
    operands,
    notes,
    onlyOperandSize,
    onlyAddressSize: sizeNote(notes, 'a'),
    implicitBase: implicit ? ({ rAX: 0, rDI: 7 }[implicit.slice(3)] ?? -1) : -1,
  };
}

/** The instruction features that a row demands, '+' between them. */
const featureOf = (notes: string): string => /(?:^| )([A-Z]\S*)/.exec(notes)?.[1] ?? '';

const BY_LENGTH: readonly (readonly [text: string, short: string, long: string])[] = [
  ['mvec', 'm128', 'm256'],
  ['mhalf', 'm64', 'm128'],
  ['mquarter', 'm32', 'm64'],
  ['meighth', 'm16', 'm32'],
  ['vec', 'xmm', 'ymm'],
];

/** A row of both vector lengths as two rows. */
export function byLength(row: Row): readonly Row[] {
  return isOfBothLengths(row) ? [0, 1].map((length) => atLength(row, length)) : [row];
}

const isOfBothLengths = ([opcode]: Row): boolean => opcode.startsWith('VEX.x.');

/** @param length 0: 128 bits, 1: 256 bits */
function atLength([opcode, syntax, notes = '']: Row, length: number): Row {
  return [
    opcode.replace('.x.', length === 0 ? '.128.' : '.256.'),
    BY_LENGTH.reduce((text, [name, ...lengths]) => text.replaceAll(name, lengths[length]!), syntax),
    notesAt(notes, length),
  ];
}

const notesAt = (notes: string, length: number): string =>
  notes.includes(':') ? notes.replace(/([A-Z0-9+]+):([A-Z0-9+]+)/, length === 0 ? '$1' : '$2') : notes;

/**
 * The forms of a row; a `+cc` row gives sixteen, a `VEX.x` row two.
 * @param number of the row among all
 * @param absent features whose forms are left out
 */
function unreadForms(row: Row, number: number, absent: readonly string[] = []): UnreadForm[] {
  const isAbsent = (notes: string) => {
    const feature = featureOf(notes);
    return feature !== '' && feature.split('+').some((each) => absent.includes(each));
  };
  const id = number * 2 * CONDITIONS.length;
  if (!isOfBothLengths(row)) return isAbsent(row[2] ?? '') ? [] : formsOf(row, id);
  return [0, 1].flatMap((length) =>
    isAbsent(notesAt(row[2] ?? '', length)) ? [] : formsOf(atLength(row, length), id + length * CONDITIONS.length),
  );
}

/** @param id of the first form */
function formsOf([opcode, syntax, notes = '']: Row, id: number): UnreadForm[] {
  const conditional = opcode.indexOf('+cc');
  if (conditional < 0) return [{ id, place: parseOpcode(opcode), syntax, notes, condition: -1, family: '' }];
  const family = syntax.slice(0, syntax.indexOf(' '));
  const first = Number.parseInt(opcode.slice(conditional - 2, conditional), 16);
  return CONDITIONS.map((suffix, condition) => {
    const byte = (first + condition).toString(16).toUpperCase();
    const place = parseOpcode(opcode.slice(0, conditional - 2) + byte + opcode.slice(conditional + 3));
    return { id: id + condition, place, syntax: syntax.replace('cc', suffix), notes, condition, family };
  });
}

/** All forms with their opcode bytes; a `+r` row is one form at eight opcodes. */
export function parseRows(rows: readonly Row[]): FormSyntax[] {
  return rows
    .flatMap((row, number) => unreadForms(row, number))
    .flatMap((form) => form.place.opcodes.map((opcode) => readForm(form, opcode)));
}

/** What of an opcode's text says where it stands: the map, the byte, and whether it stands for more than one. */
const STANDS_AT =
  /^(?:VEX\.\S*\.(0F38|0F3A|0F)(?:\.\w+)? |(?:(?:NP|NFx|66|F3|F2) (?!\/))?(0F (?:38 |3A )?)?)([0-9A-F]{2})(\+r|\+cc)?/;
const MAP_OF_BYTES: Readonly<Record<string, number>> = { '0F ': 1, '0F 38 ': 2, '0F 3A ': 3 };

/** Forms by map and opcode, each read when its opcode is first asked for: a guest meets few of them. */
export class FormIndex {
  readonly #rows: readonly Row[];
  readonly #absent: readonly string[];
  /** numbers of the rows that stand at an opcode */
  readonly #numbers = new Map<number, number[]>();
  readonly #unread = new Map<number, readonly UnreadForm[]>();
  readonly #read = new Map<number, readonly FormSyntax[]>();

  /** @param absent features whose rows are left out */
  constructor(rows: readonly Row[], absent: readonly string[]) {
    this.#rows = rows;
    this.#absent = absent;
    rows.forEach(([text], number) => {
      const match = STANDS_AT.exec(text);
      invariant(match, `opcode notation "${text}"`);
      const [, vexMap = '', mapBytes = '', byte, plus] = match;
      const first = keyOf(MAPS[vexMap] ?? MAP_OF_BYTES[mapBytes] ?? 0, Number.parseInt(byte!, 16));
      const count = plus === undefined ? 1 : plus === '+r' ? 8 : CONDITIONS.length;
      for (let key = first; key < first + count; key++) {
        const there = this.#numbers.get(key);
        if (there === undefined) this.#numbers.set(key, [number]);
        else there.push(number);
      }
    });
  }

  at(map: number, opcode: number): readonly FormSyntax[] {
    const key = keyOf(map, opcode);
    let forms = this.#read.get(key);
    if (forms === undefined) {
      forms = (this.#numbers.get(key) ?? [])
        .flatMap((number) => this.#formsOf(number))
        .filter(({ place }) => place.opcodes.includes(opcode))
        .map((form) => readForm(form, opcode));
      this.#read.set(key, forms);
    }
    return forms;
  }

  #formsOf(number: number): readonly UnreadForm[] {
    let forms = this.#unread.get(number);
    if (forms === undefined) {
      forms = unreadForms(this.#rows[number]!, number, this.#absent);
      this.#unread.set(number, forms);
    }
    return forms;
  }
}

const keyOf = (map: number, opcode: number): number => (map << 8) | opcode;
