/**
 * The vector and floating-point instructions under test. Their templates come from the decoder's rows, so that no row is
 * forgotten; the host's processor decides what the bytes mean.
 */
import type { InstructionFeature } from '../../src/isa/index.ts';
import { avxFloat } from '../../src/isa/opcodes/avx-float.ts';
import { avxInteger } from '../../src/isa/opcodes/avx-integer.ts';
import { avxOnly } from '../../src/isa/opcodes/avx-only.ts';
import { fma } from '../../src/isa/opcodes/fma.ts';
import type { Row } from '../../src/isa/opcodes/row.ts';
import { simd } from '../../src/isa/opcodes/simd.ts';
import { sse } from '../../src/isa/opcodes/sse.ts';
import { byLength } from '../../src/isa/opcodes/syntax.ts';
import { x87 } from '../../src/isa/opcodes/x87.ts';
import { CROSSING_WINDOW, type StateRecord, WINDOW_BYTES } from './batch.ts';
import type { FormUnderTest, Setting } from './driver.ts';
import type { Random } from './random.ts';

const RSP = 4;
const RDI = 7;
const STATUS_FLAGS = 0x8d5;

const FX = { fcw: 0, fsw: 2, ftw: 4, mxcsr: 24, mxcsrMask: 28, registers: 32, xmm: 160 } as const;

/** Row opcode and operands to a template of encode.ts. */
function templateOf(opcode: string, syntax: string, notes: string): string {
  const operands = syntax.split(' ').slice(1).join(' ');
  const words = opcode.split(' ').filter((word) => word !== 'NP');
  const template = words.flatMap((word) => (word.endsWith('+i') ? [word.slice(0, 2), '+r'] : [word]));
  const size = notes.includes('o64') ? 'q' : /\b(ry|my|r\/my)\b/.test(operands) ? 'y' : 'n';
  const modrm = words.some((word) => word.startsWith('/'));
  if (modrm && !/m\d|\bm\b|my|\/m/.test(operands)) template.push('reg');
  else if (modrm && !/xmm\/|mm\/|r\/m|ry\/|, xmm$|xmm, xmm/.test(operands) && !/xmm, imm8|mm, imm8/.test(operands))
    template.push('mem');
  else if (modrm && /(^|, )m\d/.test(operands)) template.push('mem');
  if (operands.includes('imm8')) template.push('ib');
  return [size, ...template].join(' ');
}

/** The same for a VEX row of one length. */
function vexTemplateOf([opcode, syntax, notes = '']: Row): string {
  const operands = syntax.split(' ').slice(1).join(' ').split(', ');
  const places = operands.filter((text) => text !== 'imm8' && text !== '');
  const encoding = /en:(\S+)/.exec(notes)?.[1] ?? (places.length > 2 ? 'RVMI' : '');
  const words = opcode.split(' ');
  const gather = places.find((text) => text.startsWith('vm'));
  if (gather !== undefined) words.splice(words.indexOf('/r'), 1, `vsib${gather.slice(2)}`);
  else if (words.at(-1)!.startsWith('/')) {
    const rm = encoding === '' ? (places.find((text) => text.includes('m')) ?? '') : places[encoding.indexOf('M')]!;
    const inMemory = places.find((text) => /(^|\/)m(\d|y)/.test(text));
    if (inMemory === undefined) words.push('reg');
    else if (/^m/.test(encoding === '' ? inMemory : rm)) words.push('mem');
  }
  if (encoding.includes('V')) words.push('vvvv');
  if (operands.includes('imm8') || places.length === 4) words.push('ib');
  const size = notes.includes('o64') ? 'q' : /\b(ry|my|r\/my)\b/.test(operands.join()) ? 'y' : 'n';
  return [size, ...words].join(' ');
}

// ---- random values

const bit = (n: number): bigint => 1n << BigInt(n);

/** A floating-point pattern: special, denormal, near a boundary, small integer, or any. */
function floatBits(random: Random, bits: 32 | 64): bigint {
  const fraction = bits === 32 ? 23 : 52;
  const top = bits === 32 ? 0xff : 0x7ff;
  const bias = top >> 1;
  const sign = random.chance(2) ? bit(bits - 1) : 0n;
  const noise = random.u64() & (bit(fraction) - 1n);
  const sparse = random.of([
    0n,
    1n,
    bit(fraction) - 1n,
    bit(fraction - 1),
    noise & (0xffn << BigInt(fraction - 8)),
    noise,
  ]);
  const joined = (exponent: number, mantissa: bigint): bigint =>
    sign | (BigInt(exponent) << BigInt(fraction)) | mantissa;
  switch (random.below(12)) {
    case 0:
      return joined(0, random.of([0n, 0n, 1n, noise]));
    case 1:
      return joined(top, random.of([0n, 0n, bit(fraction - 1) | noise, noise || 1n]));
    case 2:
      return joined(random.of([1, 2, top - 1, top - 2]), sparse);
    case 3:
    case 4:
      return joined(bias + random.below(8) - 4, sparse);
    case 5:
      return joined(bias + random.of([23, 24, 30, 31, 32, 52, 53, 62, 63, 64]), sparse);
    case 6:
      return joined(random.of([bias >> 1, bias + (bias >> 1)]) + random.below(60) - 30, noise);
    case 7:
      return joined(random.below(top), noise);
    default:
      return joined(bias + random.below(60) - 30, random.chance(2) ? sparse : noise);
  }
}

/** 16 bytes that are interesting as floats, as integers, or both. */
function vectorBytes(random: Random, view: DataView, at: number): void {
  const kind = random.below(6);
  for (let i = 0; i < 16; i += 4) {
    if (kind < 2) view.setUint32(at + i, Number(floatBits(random, 32)), true);
    else if (kind < 4 && i % 8 === 0) view.setBigUint64(at + i, floatBits(random, 64), true);
    else if (kind === 4 && i % 8 === 0) view.setBigUint64(at + i, random.operand(), true);
    else if (kind === 5) view.setUint32(at + i, random.next(), true);
  }
}

/** An 80-bit pattern, unsupported ones included. */
function extendedBits(random: Random): [signAndExponent: number, significand: bigint] {
  const sign = random.chance(2) ? 0x8000 : 0;
  const noise = random.u64();
  const one = bit(63);
  const sparse = one | random.of([0n, 1n, bit(63) - 1n, bit(62), bit(40), noise & (0xffn << 55n), noise]);
  switch (random.below(14)) {
    case 0:
      return [sign, random.of([0n, 0n, noise & ~one, 1n, noise | one])];
    case 1:
      return [
        sign | 0x7fff,
        random.of([one, one, noise | one, one | bit(62), one | (noise & (bit(62) - 1n)), noise & ~one]),
      ];
    case 2:
      return [sign | random.of([1, 2, 0x7ffe, 0x7ffd]), sparse];
    case 3:
      return random.chance(4)
        ? [sign | (1 + random.below(0x7ffe)), noise & ~one]
        : [sign | (0x3fff + random.below(4)), sparse];
    case 4:
      return [sign | (0x3fff + random.of([23, 24, 31, 32, 52, 53, 59, 62, 63, 64, 65])), sparse];
    case 5:
      return [sign | (0x3fff + random.of([-1022, -1021, 1023, 1024, -126, 127, 128])), sparse];
    case 6:
      return [sign | random.below(0x7fff), noise | one];
    default:
      return [sign | (0x3fff + random.below(40) - 20), random.chance(2) ? sparse : noise | one];
  }
}

// ---- machine states

const ALL_MASKED = 0x1f80;

function mxcsr(random: Random): number {
  const rounding = random.chance(2) ? 0 : random.below(4) << 13;
  const sticky = random.chance(2) ? 0x20 : random.below(64);
  const masks = random.chance(8) ? random.below(64) << 7 : ALL_MASKED;
  const modes = random.chance(4) ? random.of([0x40, 0x8000, 0x8040]) : 0;
  return rounding | sticky | masks | modes;
}

/** Start of the memory operand in the window: aligned as a rule. */
function placeMemory({ input, encoded, random }: Setting): number {
  const { memory } = encoded;
  if (memory === undefined) return -1;
  if (memory.base < 0) return memory.absolute - CROSSING_WINDOW;
  const offset = random.chance(6) ? 20 + random.below(200) : 16 * (1 + random.below(12));
  const index = memory.index < 0 ? 0n : input.gpr(memory.index) << BigInt(memory.scale);
  let base = BigInt(input.windowAddress + offset - memory.displacement) - index;
  if (memory.addressSize === 32) base = BigInt.asUintN(32, base);
  input.setGpr(memory.base, base);
  return offset;
}

/** The elements of a gather, all of them in the window. */
function placeElements({ input, encoded, random }: Setting): number {
  const { memory } = encoded;
  if (memory === undefined) return -1;
  const start = BigInt(input.windowAddress + WINDOW_BYTES / 2 - memory.displacement);
  input.setGpr(memory.base, memory.addressSize === 32 ? BigInt.asUintN(32, start) : start);
  const halves = [input.fx.subarray(FX.xmm + 16 * memory.vectorIndex), input.upper.subarray(16 * memory.vectorIndex)];
  for (const half of halves) {
    const view = new DataView(half.buffer, half.byteOffset, 16);
    for (let at = 0; at < 16; at += memory.indexBits / 8) {
      const index = (random.below(220) - 110) >> memory.scale;
      if (memory.indexBits === 64) view.setBigInt64(at, BigInt(index), true);
      else view.setInt32(at, index, true);
    }
  }
  return -1;
}

function prepareMachine(setting: Setting): number {
  const { input, random, slot } = setting;
  input.slot = slot;
  input.windowAddress = CROSSING_WINDOW;
  for (let register = 0; register < 16; register++) input.setGpr(register, random.operand());
  input.rflags = 0x202 | random.of([0, STATUS_FLAGS, random.next() & STATUS_FLAGS]);
  const window = new DataView(input.window.buffer, input.window.byteOffset);
  for (let i = 0; i < WINDOW_BYTES; i += 16) vectorBytes(random, window, i);
  const image = new DataView(input.fx.buffer, input.fx.byteOffset);
  image.setUint16(FX.fcw, 0x37f, true);
  image.setUint32(FX.mxcsr, mxcsr(random), true);
  image.setUint32(FX.mxcsrMask, 0xffff, true);
  for (let i = 0; i < 16; i++) vectorBytes(random, image, FX.xmm + 16 * i);
  const upper = new DataView(input.upper.buffer, input.upper.byteOffset);
  for (let i = 0; i < 16; i++) vectorBytes(random, upper, 16 * i);
  const offset = setting.encoded.memory?.vectorIndex === -1 ? placeMemory(setting) : placeElements(setting);
  input.setGpr(RSP, BigInt.asUintN(47, input.gpr(RSP)));
  return offset;
}

/** A register stack in any state: mostly full of numbers, everything masked and rounding to nearest. */
function prepareStack(setting: Setting): void {
  const { input, random } = setting;
  const offset = prepareMachine(setting);
  const image = new DataView(input.fx.buffer, input.fx.byteOffset);
  const masks = random.chance(8) ? random.below(64) : 0x3f;
  const precision = random.chance(2) ? 3 : random.of([0, 2, 3]);
  const rounding = random.chance(2) ? 0 : random.below(4);
  image.setUint16(FX.fcw, 0x40 | masks | (precision << 8) | (rounding << 10), true);
  // flags that are masked only: none pending
  const flags = random.below(64) & masks;
  image.setUint16(FX.fsw, flags | (random.next() & 0x7f40 & (flags & 1 ? -1 : ~0x40)), true);
  image.setUint8(FX.ftw, random.chance(4) ? random.below(256) : random.chance(2) ? 0x7f << random.below(2) : 0xff);
  const fullForPushes = random.chance(2) ? 0x7f : 0xff;
  if (random.chance(2)) {
    const top = (image.getUint16(FX.fsw, true) >> 11) & 7;
    const rotated = fullForPushes << top;
    image.setUint8(FX.ftw, (rotated | (rotated >> 8)) & 0xff);
  }
  for (let i = 0; i < 8; i++) {
    const [high, low] = extendedBits(random);
    image.setBigUint64(FX.registers + 16 * i, low, true);
    image.setUint16(FX.registers + 16 * i + 8, high, true);
  }
  if (offset < 0) return;
  const window = new DataView(input.window.buffer, input.window.byteOffset);
  if (offset + 10 <= WINDOW_BYTES && random.chance(2)) {
    const [high, low] = extendedBits(random);
    window.setBigUint64(offset, low, true);
    window.setUint16(offset + 8, high, true);
  }
}

function prepareMmx(setting: Setting): void {
  prepareMachine(setting);
  const { input, random } = setting;
  const image = new DataView(input.fx.buffer, input.fx.byteOffset);
  image.setUint8(FX.ftw, random.below(256));
  image.setUint16(FX.fsw, random.below(8) << 11, true);
  for (let i = 0; i < 8; i++) image.setBigUint64(FX.registers + 16 * i, random.operand(), true);
}

/** MASKMOV stores at RDI. */
const atDestination =
  (prepare: (setting: Setting) => void) =>
  (setting: Setting): void => {
    prepare(setting);
    setting.input.setGpr(RDI, BigInt(CROSSING_WINDOW + 16 + setting.random.below(200)));
  };

/** Strings that end, and lengths near them. */
function prepareStrings(setting: Setting): void {
  prepareMachine(setting);
  const { input, random } = setting;
  const image = new DataView(input.fx.buffer, input.fx.byteOffset);
  const alphabet = random.of([2, 4, 16]);
  for (let i = 0; i < 256; i++) image.setUint8(FX.xmm + i, random.chance(12) ? 0 : 0x60 + random.below(alphabet));
  for (let i = 0; i < WINDOW_BYTES; i++) input.window[i] = random.chance(12) ? 0 : 0x60 + random.below(alphabet);
  const { memory } = setting.encoded;
  for (const register of [0, 2])
    if (memory?.base !== register && memory?.index !== register)
      input.setGpr(register, random.chance(3) ? random.operand() : BigInt.asUintN(64, BigInt(random.below(40) - 20)));
}

// ---- what may differ

const LEAST_NORMAL = 2 ** -126;

/** RCP and RSQRT promise 1.5 x 2^-12; each processor has its own bits. */
function forgiveApproximation({ encoded }: Setting, native: StateRecord, simulated: StateRecord): void {
  const at = FX.xmm + 16 * encoded.reg;
  forgiveSingles(native.fx.subarray(at, at + 16), simulated.fx.subarray(at, at + 16));
  const upper = 16 * encoded.reg;
  forgiveSingles(native.upper.subarray(upper, upper + 16), simulated.upper.subarray(upper, upper + 16));
}

function forgiveSingles(native: Uint8Array, simulated: Uint8Array): void {
  const theirs = new DataView(native.buffer, native.byteOffset, 16);
  const ours = new DataView(simulated.buffer, simulated.byteOffset, 16);
  for (let i = 0; i < 16; i += 4) {
    const [a, b] = [theirs.getFloat32(i, true), ours.getFloat32(i, true)];
    const negative = (value: number): boolean => value < 0 || Object.is(value, -0);
    const close = Math.abs(a - b) <= Math.abs(a) * 3 * 2 ** -12 || Math.max(Math.abs(a), Math.abs(b)) <= LEAST_NORMAL;
    if (close && negative(a) === negative(b)) ours.setUint32(i, theirs.getUint32(i, true), true);
  }
}

const GENERAL_PROTECTION = 13;
const END_OF_CASE = 3;

/** The SDM asks the SHA instructions' memory operands to be aligned; some processors do not. */
function forgiveAlignment(_setting: Setting, native: StateRecord, simulated: StateRecord): void {
  if (native.vector !== END_OF_CASE || simulated.vector !== GENERAL_PROTECTION) return;
  simulated.copyFrom(native);
}

const MISALIGNED_MODE = 1 << 17;

/** Some processors have an MXCSR bit more, for misaligned operands. */
function forgiveMisalignedMode(setting: Setting, native: StateRecord, simulated: StateRecord): void {
  const loaded = new DataView(native.fx.buffer, native.fx.byteOffset + FX.mxcsr, 4).getUint32(0, true);
  if (loaded & MISALIGNED_MODE) forgiveAlignment(setting, native, simulated);
}

const NOTHING = (): number => 0;

/** Features that the simulated processor does not offer. */
const NOT_OFFERED = /\b(GFNI)\b/;

function vectorForm(syntax: string, template: string): FormUnderTest {
  const name = syntax.split(' ')[0]!.replace(/^V/, '');
  const usesMmx = /\bmm\b|EMMS/.test(syntax) || /2PI|PI2/.test(name);
  let prepare: (setting: Setting) => void = usesMmx ? prepareMmx : prepareMachine;
  if (name.startsWith('MASKMOVQ') || name.startsWith('MASKMOVDQU')) prepare = atDestination(prepare);
  if (/^PCMP.STR/.test(name)) prepare = prepareStrings;
  return {
    name: syntax,
    template,
    modes: [64, 32],
    prepare,
    undefinedFlags: NOTHING,
    ...(/^R(SQRT|CP)/.test(name) ? { forgive: forgiveApproximation } : {}),
    ...(name === 'LDMXCSR' ? { forgive: forgiveMisalignedMode } : {}),
    ...(name.startsWith('SHA') ? { forgive: forgiveAlignment } : {}),
  };
}

export const VECTOR_FORMS: readonly FormUnderTest[] = [...sse, ...simd]
  .filter(([, , notes = '']) => !NOT_OFFERED.test(notes))
  .map(([opcode, syntax, notes = '']) => vectorForm(syntax, templateOf(opcode, syntax, notes)));

/** VEX forms by the features that bring them. */
export const VEX_FORMS: ReadonlyMap<string, readonly FormUnderTest[]> = (() => {
  const result = new Map<string, FormUnderTest[]>();
  for (const row of [...avxFloat, ...avxInteger, ...avxOnly, ...fma].flatMap(byLength)) {
    const feature = row[2]!.split(' ').at(-1)!;
    const forms = result.get(feature) ?? [];
    result.set(feature, forms);
    forms.push(vectorForm(row[1], vexTemplateOf(row)));
  }
  return result;
})();

export const featuresOf = (key: string): readonly InstructionFeature[] => key.split('+') as InstructionFeature[];

const TRANSCENDENTAL = /^(F2XM1|FYL2X|FYL2XP1|FPTAN|FPATAN|FSIN|FCOS|FSINCOS)$/;
const ENVIRONMENT = /^(FLDENV|FNSTENV|FNSAVE|FRSTOR)$/;

const mnemonic = (syntax: string): string => syntax.split(' ')[0]!;

export const X87_FORMS: readonly FormUnderTest[] = x87
  .filter(([, syntax]) => !TRANSCENDENTAL.test(mnemonic(syntax)) && !ENVIRONMENT.test(mnemonic(syntax)))
  .map(([opcode, syntax, notes = '']) => ({
    name: syntax,
    template: templateOf(opcode, syntax, notes),
    modes: [64, 32],
    prepare: prepareStack,
    undefinedFlags: NOTHING,
  }));

/** Signed distance of two 80-bit patterns in units of the last place; their signs are the same. */
const placesApart = (a: StackValue, b: StackValue): bigint =>
  ((BigInt(a.high & 0x7fff) << 63n) | (a.low & ~bit(63))) - ((BigInt(b.high & 0x7fff) << 63n) | (b.low & ~bit(63)));

interface StackValue {
  readonly high: number;
  readonly low: bigint;
}

function stackValue(record: StateRecord, index: number): StackValue {
  const view = new DataView(record.fx.buffer, record.fx.byteOffset + FX.registers + 16 * index, 16);
  return { high: view.getUint16(8, true), low: view.getBigUint64(0, true) };
}

/** Transcendental results may be one unit in the last place apart, and C1 tells how one of them was rounded. */
function forgiveLastPlace(_setting: Setting, native: StateRecord, simulated: StateRecord): void {
  for (let i = 0; i < 2; i++) {
    const [theirs, ours] = [stackValue(native, i), stackValue(simulated, i)];
    const distance = placesApart(theirs, ours);
    if (theirs.high >> 15 !== ours.high >> 15 || distance > 1n || distance < -1n) continue;
    simulated.fx.set(native.fx.subarray(FX.registers + 16 * i, FX.registers + 16 * i + 10), FX.registers + 16 * i);
  }
  const C1 = 2;
  simulated.fx[FX.fsw + 1] = (simulated.fx[FX.fsw + 1]! & ~C1) | (native.fx[FX.fsw + 1]! & C1);
}

/** Defined for |ST(0)| up to 1, or less. */
const BOUNDED = /^(F2XM1|FYL2XP1)$/;

/** Brings a finite ST(0) below 1/4. */
function bound(image: DataView): void {
  const high = image.getUint16(FX.registers + 8, true);
  const exponent = high & 0x7fff;
  if (exponent > 0x3ffc && exponent < 0x7fff) image.setUint16(FX.registers + 8, (high & 0x8000) | 0x3ffc, true);
}

/** Moderate arguments within the instruction's domain, everything masked, rounding to nearest. */
function prepareTranscendental(name: string): (setting: Setting) => void {
  return (setting) => {
    const { input, random } = setting;
    prepareStack(setting);
    const image = new DataView(input.fx.buffer, input.fx.byteOffset);
    image.setUint16(FX.fcw, 0x37f, true);
    if (random.chance(8)) {
      if (BOUNDED.test(name)) bound(image);
      return;
    }
    image.setUint8(FX.ftw, name === 'FPTAN' || name === 'FSINCOS' ? 0x7f : 0xff);
    image.setUint16(FX.fsw, 0, true);
    const place = (index: number, exponent: number, negative: boolean): void => {
      image.setBigUint64(FX.registers + 16 * index, random.u64() | bit(63), true);
      image.setUint16(FX.registers + 16 * index + 8, (negative ? 0x8000 : 0) | (0x3fff + exponent), true);
    };
    const negative = random.chance(2);
    if (name === 'F2XM1') place(0, -1 - random.below(70), negative);
    else if (name === 'FYL2XP1') place(0, -2 - random.below(66), negative);
    else if (name === 'FYL2X') place(0, random.chance(3) ? -random.below(2) : random.below(200) - 100, false);
    else place(0, name === 'FPATAN' ? random.below(40) - 20 : random.below(70) - 68, negative);
    place(1, random.below(40) - 20, random.chance(2));
  };
}

export const TRANSCENDENTAL_FORMS: readonly FormUnderTest[] = x87
  .filter(([, syntax]) => TRANSCENDENTAL.test(mnemonic(syntax)))
  .map(([opcode, syntax]) => ({
    name: syntax,
    template: templateOf(opcode, syntax, ''),
    modes: [64, 32],
    prepare: prepareTranscendental(syntax),
    undefinedFlags: NOTHING,
    forgive: forgiveLastPlace,
  }));
