import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Code,
  CpuidFeature,
  DecoderOptions,
  EncodingKind,
  Decoder as IcedDecoder,
  Instruction as IcedInstruction,
  Register as IcedRegister,
  MemorySizeExt,
  Mnemonic,
  OpKind,
} from 'iced-x86';
import { join64 } from '../bits/index.ts';
import { createInstruction, DecodeResult, Decoder } from './decode.ts';
import { OPTIONAL_FEATURES } from './features.ts';
import { type Instruction, type Operand, OperandKind, Prefix } from './instruction.ts';
import { rows } from './opcodes/index.ts';
import { parseRows } from './opcodes/syntax.ts';
import { gprName, segmentName } from './registers.ts';

type Mode = 16 | 32 | 64;

/** Random bytes from a fixed seed (xorshift32). */
function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const hexBytes = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

// ---- where iced and we differ by design

/** iced's mnemonic to ours. */
const MNEMONICS: Readonly<Record<string, string>> = {
  // the SDM has one name for the whole hint space
  RESERVEDNOP: 'NOP',
  // the SDM keeps the name under REX.W
  SYSRETQ: 'SYSRET',
  SYSEXITQ: 'SYSEXIT',
  GETSECQ: 'GETSEC',
  PCMPESTRI64: 'PCMPESTRI',
  PCMPESTRM64: 'PCMPESTRM',
  VPCMPESTRI64: 'VPCMPESTRI',
  VPCMPESTRM64: 'VPCMPESTRM',
  // two names in the SDM
  WAIT: 'FWAIT',
};

/** CPUID features (iced's names) whose instructions are not in our tables: #UD on the processor we model. */
const NOT_DECODED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'CLZERO',
      'D3NOW',
      'INVLPGB',
      'MONITORX',
      'RDPRU',
      'RMPQUERY',
      'SEV_ES',
      'SEV_SNP',
      'SKINIT_or_SVM',
      'SSE4A',
      'SVM',
    ].map((name) => [name, 'AMD']),
  ),
  ...Object.fromEntries(['ACE', 'GMI', 'PHE', 'PMM', 'RNG', 'UNDOC'].map((name) => [`PADLOCK_${name}`, 'VIA'])),
  ...Object.fromEntries(['FMA4', 'TBM', 'XOP'].map((name) => [name, 'AMD'])),
  AESKLE: 'Key Locker',
  KL: 'Key Locker',
  ENQCMD: 'needs PASID state',
  FRED: 'after the processor we model',
  LKGS: 'after the processor we model',
  MSRLIST: 'after the processor we model',
  PTWRITE: 'needs Intel PT',
  RAO_INT: 'after the processor we model',
  TSE: 'after the processor we model',
  UINTR: 'needs user-interrupt state',
  WRMSRNS: 'after the processor we model',
};

/** CPUID features (iced's names) of VEX-encoded instructions that are not in our tables. */
const NOT_IN_VEX = /^(AVX512|AMX|KNC|AVX_(IFMA|NE_CONVERT|VNNI_)|CMPCCXADD|SHA512|SM3|SM4|MSR_IMM|USER_MSR)/;

/** Register operands that the SDM calls r/m16 or r32 and iced widens with the operand size. */
const NARROW_REGISTERS: Readonly<Record<string, number>> = {
  ARPL: 16,
  LLDT: 16,
  LMSW: 16,
  LTR: 16,
  VERR: 16,
  VERW: 16,
  TPAUSE: 32,
  UMWAIT: 32,
};

const registerNames = new Map<number, string>();
function icedRegister(register: number): string {
  let name = registerNames.get(register);
  if (name === undefined) {
    name = (IcedRegister[register] ?? '?').toLowerCase().replace(/^r(\d+)l$/, 'r$1b');
    registerNames.set(register, name);
  }
  return name;
}

const masked = (value: bigint, bits: number) => BigInt.asUintN(bits, value).toString(16);

/** An operand of iced's in our words. */
function icedOperand(one: IcedInstruction, index: number, mode: Mode): string {
  const kind = one.opKind(index);
  const size = () => (one.memorySize === 0 ? 0 : MemorySizeExt.size(one.memorySize) * 8);
  switch (kind) {
    case OpKind.Register:
      return icedRegister(one.opRegister(index));
    case OpKind.NearBranch16:
    case OpKind.NearBranch32:
    case OpKind.NearBranch64:
      return `to ${masked(one.nearBranchTarget, kind === OpKind.NearBranch16 ? 16 : mode === 64 ? 64 : 32)}`;
    case OpKind.FarBranch16:
      return `far ${one.farBranchSelector}:${one.farBranch16.toString(16)}`;
    case OpKind.FarBranch32:
      return `far ${one.farBranchSelector}:${one.farBranch32.toString(16)}`;
    case OpKind.Immediate8:
    case OpKind.Immediate8_2nd:
      return `8:${masked(one.immediate(index), 8)}`;
    case OpKind.Immediate16:
    case OpKind.Immediate8to16:
      return `16:${masked(one.immediate(index), 16)}`;
    case OpKind.Immediate32:
    case OpKind.Immediate8to32:
      return `32:${masked(one.immediate(index), 32)}`;
    case OpKind.Immediate64:
    case OpKind.Immediate8to64:
    case OpKind.Immediate32to64:
      return `64:${masked(one.immediate(index), 64)}`;
    case OpKind.MemorySegSI:
    case OpKind.MemorySegESI:
    case OpKind.MemorySegRSI:
      return `m${size()} ${icedRegister(one.memorySegment)}:[si]`;
    case OpKind.MemorySegDI:
    case OpKind.MemorySegEDI:
    case OpKind.MemorySegRDI:
      return `m${size()} ${icedRegister(one.memorySegment)}:[di]`;
    case OpKind.MemoryESDI:
    case OpKind.MemoryESEDI:
    case OpKind.MemoryESRDI:
      return `m${size()} es:[di]`;
    default: {
      const scale = one.memoryIndex === IcedRegister.None ? 1 : one.memoryIndexScale;
      const [base, offset] = [icedRegister(one.memoryBase), icedRegister(one.memoryIndex)];
      const displacement = masked(one.memoryDisplacementU64, 64);
      return `m${size()} ${icedRegister(one.memorySegment)}:[${base}+${offset}*${scale}+${displacement}]`;
    }
  }
}

function icedText(one: IcedInstruction, mode: Mode): string[] {
  const name = (Mnemonic[one.mnemonic] ?? '?').toUpperCase();
  const operands = Array.from({ length: one.opCount }, (_, index) => icedOperand(one, index, mode));
  return [`${one.length}${one.hasLockPrefix ? ' lock' : ''} ${MNEMONICS[name] ?? name}`, ...operands];
}

function ourOperand(one: Instruction, operand: Operand, index: number): string {
  const { kind, size, register } = operand;
  const { immediateLow: low, immediateHigh: high, form } = one;
  switch (kind) {
    case OperandKind.Gpr:
      return gprName(register, size);
    case OperandKind.Immediate: {
      const second = index > 0 && one.operands[0].kind === OperandKind.Immediate;
      return `${size}:${masked(second ? BigInt(one.immediate2) : join64(low, high), size)}`;
    }
    case OperandKind.Relative: {
      const bits = one.operandSize === 16 && form.mnemonic !== 'XBEGIN' ? 16 : one.mode === 64 ? 64 : 32;
      return `to ${masked(BigInt(one.length) + join64(low, high), bits)}`;
    }
    case OperandKind.FarPointer:
      return `far ${one.immediate2}:${(low >>> 0).toString(16)}`;
    case OperandKind.Segment:
      return segmentName(register);
    case OperandKind.Control:
      return `cr${register}`;
    case OperandKind.Debug:
      return `dr${register}`;
    case OperandKind.Xmm:
      return `xmm${register}`;
    case OperandKind.Mmx:
      return `mm${register}`;
    case OperandKind.X87:
      return `st${register}`;
    case OperandKind.Ymm:
      return `ymm${register}`;
    default: {
      const bits = size === 0 ? '' : size;
      const destination = STRING_DESTINATION[form.operation];
      if (destination !== undefined && form.feature === '') {
        return `m${bits} ${index === destination ? 'es:[di]' : `${segmentName(one.segment)}:[si]`}`;
      }
      const base = one.base < 0 ? 'none' : gprName(one.base, one.addressSize);
      const offset = form.operation === 'XLAT' ? 'al' : one.index < 0 ? 'none' : indexName(one);
      const relative = one.base === 16 ? BigInt(one.length) : 0n;
      const width = one.addressSize;
      const displacement = masked(join64(one.displacement, one.displacementHigh) + relative, width);
      return `m${bits} ${segmentName(one.segment)}:[${base}+${offset}*${1 << one.scaleShift}+${displacement}]`;
    }
  }
}

function indexName({ index, vectorIndex, addressSize }: Instruction): string {
  if (vectorIndex === 0) return gprName(index, addressSize);
  return `${vectorIndex === 128 ? 'xmm' : 'ymm'}${index}`;
}

/** Which operand of a string operation is ES:rDI. */
const STRING_DESTINATION: Readonly<Record<string, number>> = {
  MOVS: 0,
  CMPS: 1,
  SCAS: 1,
  STOS: 0,
  INS: 0,
  LODS: -1,
  OUTS: -1,
};

function ourText(one: Instruction): string[] {
  const operands = one.operands.slice(0, one.operandCount).map((operand, index) => ourOperand(one, operand, index));
  return [`${one.length}${(one.prefixes & Prefix.Lock) !== 0 ? ' lock' : ''} ${one.form.mnemonic}`, ...operands];
}

const REGISTERS_BY_NAME = new Map(
  [16, 32, 64].flatMap((size) => Array.from({ length: 16 }, (_, number) => [gprName(number, size), number] as const)),
);

/** Makes the two comparable where the SDM and iced list operands differently. */
function reconcile(theirs: string[], ours: string[], one: Instruction): void {
  const { mnemonic } = one.form;
  const { length } = ours;
  // SDM: the third operand <XMM0> is listed
  if (theirs.length === length - 1 && ours[length - 1] === 'xmm0') theirs.push('xmm0');
  // SDM: the destination at DS:rDI is not listed
  if (/^V?MASKMOV(Q|DQU)/.test(mnemonic)) theirs.splice(1, 1);
  // SDM: ST(0) is implied
  if (mnemonic.startsWith('F') && theirs.length === length + 1) {
    const implied = theirs.indexOf('st0', ours[1]?.startsWith('m') ? 1 : theirs.length - 1);
    theirs.splice(theirs[1] === 'st0' ? 1 : implied, 1);
  }
  const narrow = NARROW_REGISTERS[mnemonic];
  if (narrow !== undefined) {
    for (let i = 1; i < theirs.length; i += 1) {
      const register = REGISTERS_BY_NAME.get(theirs[i] ?? '');
      if (register !== undefined) theirs[i] = gprName(register, narrow);
    }
  }
  ours.forEach((text, index) => {
    const other = theirs[index];
    if (index === 0 || other === undefined) return;
    // an operand to which we give no size
    if (text.startsWith('m ')) theirs[index] = other.replace(/^m\d+/, 'm');
    // 64-bit code: iced shows the null prefixes, we show the segment in force
    if (one.mode === 64) {
      theirs[index] = (theirs[index] ?? '').replace(/ [ecsd]s:/, ' flat:');
      ours[index] = text.replace(/ [ecsd]s:/, ' flat:');
    }
  });
}

const NAMES = ['Ok', 'Truncated', 'Invalid', 'TooLong'];

class Comparison {
  readonly mismatches = new Map<string, string[]>();
  compared = 0;
  valid = 0;
  #iced: IcedDecoder;
  #decoder = new Decoder(OPTIONAL_FEATURES);
  #ours = createInstruction();
  #theirs = new IcedInstruction();
  readonly mode: Mode;
  readonly bytes: Uint8Array;

  constructor(mode: Mode, bytes: Uint8Array) {
    this.mode = mode;
    this.bytes = bytes;
    this.#iced = new IcedDecoder(mode, bytes, DecoderOptions.None);
  }

  at(offset: number): void {
    const [theirs, ours, mode] = [this.#theirs, this.#ours, this.mode];
    this.#iced.position = offset;
    this.#iced.ip = 0n;
    this.#iced.decodeOut(theirs);
    const result = this.#decoder.decode(this.bytes, offset, this.bytes.length, mode, ours);
    this.compared += 1;
    const bytes = hexBytes(this.bytes.subarray(offset, offset + 15));
    if (theirs.isInvalid || result !== DecodeResult.Ok) {
      if (theirs.isInvalid !== (result !== DecodeResult.Ok) && !this.#expectedAbsent(theirs)) {
        this.#note(
          theirs,
          theirs.isInvalid
            ? `iced: invalid, we: ${ourText(ours).join(', ')}`
            : `iced: ${icedText(theirs, mode).join(', ')}, we: ${NAMES[result]}`,
          bytes,
        );
      }
      return;
    }
    this.valid += 1;
    const [left, right] = [icedText(theirs, mode), ourText(ours)];
    reconcile(left, right, ours);
    if (left.join(', ') !== right.join(', '))
      this.#note(theirs, `iced: ${left.join(', ')} | we: ${right.join(', ')}`, bytes);
  }

  #expectedAbsent(theirs: IcedInstruction): boolean {
    if (theirs.isInvalid) return false;
    if (theirs.encoding !== EncodingKind.Legacy && theirs.encoding !== EncodingKind.VEX) return true;
    return [...theirs.cpuidFeatures()].some((feature) => {
      const name = CpuidFeature[feature] ?? '';
      return NOT_DECODED[name] !== undefined || (theirs.encoding === EncodingKind.VEX && NOT_IN_VEX.test(name));
    });
  }

  #note(theirs: IcedInstruction, text: string, bytes: string): void {
    const code = theirs.isInvalid ? `INVALID ${this.#ours.form.mnemonic}` : (Code[theirs.code] ?? '?');
    const list = this.mismatches.get(code) ?? [];
    if (list.length < 3) list.push(`${bytes}: ${text}`);
    this.mismatches.set(code, list);
  }

  report(): string {
    return [...this.mismatches].map(([code, texts]) => `${code}\n  ${texts.join('\n  ')}`).join('\n');
  }
}

const PREFIXES = [0x66, 0xf2, 0xf3, 0xf0, 0x67, 0x2e, 0x36, 0x64, 0x65, 0x26, 0x3e];

/** Instruction-like bytes: up to three prefixes, a REX prefix, an escape, then anything. */
function randomInstruction(random: () => number, mode: Mode): number[] {
  const bytes: number[] = [];
  const choice = random();
  for (let count = choice & 3; count > 0; count -= 1) bytes.push(PREFIXES[random() % PREFIXES.length] ?? 0x66);
  if (mode === 64 && (choice & 4) !== 0) bytes.push(0x40 | (random() & 15));
  if ((choice & 0x700) === 0) {
    bytes.length = (choice & 0x1800) === 0 ? bytes.length : 0;
    if ((choice & 0x2000) !== 0) bytes.push(0xc5);
    else bytes.push(0xc4, (random() & 0xe0) | (1 + (random() % 3)));
  }
  if ((choice & 0x30) !== 0) bytes.push(0x0f);
  if ((choice & 0x30) === 0x30) bytes.push((choice & 0x40) !== 0 ? 0x38 : 0x3a);
  while (bytes.length < 24) bytes.push(random() & 0xff);
  return bytes;
}

function fuzz(mode: Mode, rounds: number, seed: number): Comparison {
  const random = randomSource(seed);
  const bytes = new Uint8Array(rounds * 24);
  for (let i = 0; i < rounds; i += 1) bytes.set(randomInstruction(random, mode), i * 24);
  const comparison = new Comparison(mode, bytes);
  for (let i = 0; i < rounds; i += 1) comparison.at(i * 24);
  return comparison;
}

for (const [mode, rounds] of [
  [64, 200_000],
  [32, 50_000],
  [16, 20_000],
] as const) {
  test(`${rounds} random instructions in ${mode}-bit code decode as iced decodes them`, () => {
    const comparison = fuzz(mode, rounds, 0x5ea3 + mode);
    assert.equal(comparison.report(), '');
    assert.ok(comparison.valid > rounds / 4, `${comparison.valid} of ${rounds} were valid`);
  });
}

const PREFIX_BYTES = [[], [0x66], [0xf3], [0xf2]];

/** Each row at each prefix, operand size and class of ModRM byte. */
function everyForm(mode: Mode, random: () => number): number[][] {
  const result: number[][] = [];
  for (const syntax of parseRows(rows)) {
    if (syntax.vex) continue;
    if (syntax.notes.has(mode === 64 ? 'i64' : 'only64')) continue;
    const mapBytes = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]][syntax.map] ?? [];
    const cells = syntax.hasModrm
      ? syntax.cells.filter((cell) => cell < 8 || cell % 9 === 0 || syntax.cells.length < 9)
      : [0];
    for (const prefix of syntax.prefixes) {
      for (const size of mode === 64 ? [[], [0x66], [0x48], [0x4d]] : [[], [0x66], [0x67]]) {
        for (const cell of cells) {
          const modrm = cell < 8 ? (cell << 3) | (random() & 0xc7) : cell + 0xb8;
          const first = syntax.hasModrm ? [cell < 8 && modrm >= 0xc0 ? modrm & 0x3f : modrm] : [];
          const rex = size[0] === 0x48 || size[0] === 0x4d;
          const before = rex ? [...(PREFIX_BYTES[prefix] ?? []), ...size] : [...size, ...(PREFIX_BYTES[prefix] ?? [])];
          const bytes = [...before, ...mapBytes, syntax.opcode, ...first];
          while (bytes.length < 24) bytes.push(random() & 0xff);
          result.push(bytes);
        }
      }
    }
  }
  return result;
}

/** Each VEX row at each length, W, class of ModRM byte, with all ones and with anything in vvvv. */
function everyVexForm(random: () => number): number[][] {
  const result: number[][] = [];
  for (const { vex, map, opcode, prefixes, cells, hasModrm } of parseRows(rows)) {
    if (!vex) continue;
    for (const cell of hasModrm ? cells.filter((each) => each < 8 || each % 9 === 0 || cells.length < 9) : [0])
      for (const selector of [0, 1, 2, 3, 4, 5, 6, 7]) {
        const [wide, length, vvvv] = [selector & 1, (selector >> 1) & 1, selector & 4 ? 0x78 : random() & 0x78];
        const modrm = cell < 8 ? (cell << 3) | (random() & 0xc7) : cell + 0xb8;
        const last = (wide << 7) | vvvv | (length << 2) | prefixes[0]!;
        const bytes = [0xc4, (random() & 0xe0) | map, last, opcode];
        if (hasModrm) bytes.push(cell < 8 && modrm >= 0xc0 ? modrm & 0x3f : modrm);
        while (bytes.length < 24) bytes.push(random() & 0xff);
        result.push(bytes);
      }
  }
  return result;
}

for (const mode of [64, 32, 16] as const) {
  test(`every form in ${mode}-bit code decodes as iced decodes it`, () => {
    const forms = [...everyForm(mode, randomSource(0xf0f0 + mode)), ...everyVexForm(randomSource(0xc4c5 + mode))];
    const comparison = new Comparison(mode, Uint8Array.from(forms.flat()));
    for (let i = 0; i < forms.length; i += 1) comparison.at(i * 24);
    assert.equal(comparison.report(), '');
  });
}

test('instructions of one shape, mode and address size have operands of one form, kind and size', () => {
  const random = randomSource(0x5a5a);
  const decoder = new Decoder(OPTIONAL_FEATURES);
  const out = createInstruction();
  const shapes = new Map<string, string>();
  for (const mode of [64, 32, 16] as const)
    for (const bytes of [
      ...everyForm(mode, random),
      ...everyVexForm(random),
      ...Array.from({ length: 20_000 }, () => randomInstruction(random, mode)),
    ]) {
      if (decoder.decode(Uint8Array.from(bytes), 0, 24, mode, out) !== DecodeResult.Ok) continue;
      assert.notEqual(out.shape, 0);
      const operands = out.operands.slice(0, out.operandCount).map(({ kind, size }) => `${kind} ${size}`);
      const text = [out.form.id, out.operandSize, ...operands].join();
      const key = `${out.shape} ${mode} ${out.addressSize}`;
      assert.equal(shapes.get(key) ?? text, text);
      shapes.set(key, text);
    }
  assert.ok(shapes.size > 1000);
});

test('where the bytes run out, the decoder says so and reads nothing beyond', () => {
  const decoder = new Decoder();
  const out = createInstruction();
  const random = randomSource(0x7a11);
  for (let round = 0; round < 5_000; round += 1) {
    const bytes = Uint8Array.from(randomInstruction(random, 64));
    if (decoder.decode(bytes, 0, bytes.length, 64, out) !== DecodeResult.Ok) continue;
    const { length, form } = out;
    assert.equal(decoder.decode(bytes, 0, length, 64, out), DecodeResult.Ok);
    for (let limit = 0; limit < length; limit += 1) {
      const result = decoder.decode(bytes.subarray(0, limit), 0, limit, 64, out);
      assert.equal(result, DecodeResult.Truncated, `${form.mnemonic} ${hexBytes(bytes)} at ${limit}`);
    }
  }
});

test('fifteen bytes are an instruction, sixteen are #GP', () => {
  const decoder = new Decoder();
  const out = createInstruction();
  const padded = (prefixes: number) => Uint8Array.from([...new Array<number>(prefixes).fill(0x66), 0x90, 0, 0, 0]);
  assert.equal(decoder.decode(padded(14), 0, 18, 64, out), DecodeResult.Ok);
  assert.equal(out.length, 15);
  assert.equal(decoder.decode(padded(15), 0, 19, 64, out), DecodeResult.TooLong);
  assert.equal(decoder.decode(padded(15), 0, 14, 64, out), DecodeResult.Truncated);
});

test('without BMI1 and LZCNT their encodings are BSF and BSR', () => {
  const out = createInstruction();
  const tzcnt = Uint8Array.of(0xf3, 0x0f, 0xbc, 0xc1);
  const lzcnt = Uint8Array.of(0xf3, 0x0f, 0xbd, 0xc1);
  const names = (decoder: Decoder) =>
    [tzcnt, lzcnt].map((bytes) => {
      assert.equal(decoder.decode(bytes, 0, 4, 64, out), DecodeResult.Ok);
      return out.form.operation;
    });
  assert.deepEqual(names(new Decoder()), ['BSF', 'BSR']);
  assert.deepEqual(names(new Decoder(['BMI1', 'LZCNT'])), ['TZCNT', 'LZCNT']);
});

test('speed', (context) => {
  const decoder = new Decoder();
  const out = createInstruction();
  const random = randomSource(0x5eed);
  const bytes = Uint8Array.from(Array.from({ length: 20_000 }, () => randomInstruction(random, 64)).flat());
  const rounds = 10;
  const start = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    for (let at = 0; at < bytes.length; at += 24) decoder.decode(bytes, at, bytes.length, 64, out);
  }
  const nanoseconds = ((performance.now() - start) * 1e6) / (rounds * 20_000);
  context.diagnostic(`${Math.round(nanoseconds)} ns per instruction`);
});
