/** The integer instructions under test: templates, what the SDM leaves undefined, and operands that reach the interesting cases. */
import {
  CODE_BASE,
  CROSSING_WINDOW,
  LAST_WINDOW,
  SLOT_BYTES,
  SLOT_ENTRY,
  type StateRecord,
  WINDOW_BYTES,
} from './batch.ts';
import type { FormUnderTest, Setting } from './driver.ts';

const RSP = 4;
const PAGE_FAULT = 14;

const CF = 1;
const PF = 4;
const AF = 0x10;
const ZF = 0x40;
const SF = 0x80;
const DF = 0x400;
const OF = 0x800;
const STATUS_FLAGS = CF | PF | AF | ZF | SF | OF;

/** Changes random operands into useful ones; the memory operand is placed already, at that offset of the window. */
type Tuning = (setting: Setting, memoryOffset: number) => void;

interface Options {
  /** flags that the SDM leaves undefined */
  undefined?: number | ((setting: Setting) => number);
  prepare?: Tuning;
  forgive?: FormUnderTest['forgive'];
  modes?: readonly (32 | 64)[];
}

const BOTH = [64, 32] as const;
const LONG = [64] as const;
const PROTECTED = [32] as const;

function form(name: string, template: string, options: Options = {}): FormUnderTest {
  const flags = options.undefined ?? 0;
  return {
    name,
    template,
    modes: options.modes ?? BOTH,
    undefinedFlags: typeof flags === 'number' ? () => flags : flags,
    prepare: (setting) => prepareCase(setting, options.prepare),
    ...(options.forgive === undefined ? {} : { forgive: options.forgive }),
  };
}

function opcode(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, '0');
}

/** Puts the memory operand (if it has a base register) at window offset `offset`, by its base register. */
export function placeMemory({ input, encoded, random }: Setting): number {
  const { memory } = encoded;
  if (memory === undefined) return -1;
  if (memory.base < 0) return memory.absolute - CROSSING_WINDOW;
  const last = random.chance(12);
  if (last) input.windowAddress = LAST_WINDOW;
  const offset = last
    ? WINDOW_BYTES - 20 + random.below(24)
    : random.chance(2)
      ? 116 + random.below(12)
      : 24 + random.below(200);
  const index = memory.index < 0 ? 0n : input.gpr(memory.index) << BigInt(memory.scale);
  let base = BigInt(input.windowAddress + offset - memory.displacement) - index;
  if (memory.addressSize === 32) base = BigInt.asUintN(32, base) | (random.u64() & ~0xffff_ffffn);
  input.setGpr(memory.base, base);
  return offset;
}

/** A random machine state for an encoding. */
function prepareCase(setting: Setting, tune: Tuning | undefined): void {
  const { input, random, slot } = setting;
  input.slot = slot;
  input.windowAddress = CROSSING_WINDOW;
  for (let register = 0; register < 16; register++) input.setGpr(register, random.operand());
  input.rflags = 0x202 | random.of([0, STATUS_FLAGS, random.next() & STATUS_FLAGS]);
  for (let i = 0; i < WINDOW_BYTES; i++) input.window[i] = random.next();
  if (random.chance(2))
    new DataView(input.window.buffer, input.window.byteOffset).setBigUint64(120, random.operand(), true);
  const memoryOffset = placeMemory(setting);
  tune?.(setting, memoryOffset);
  // some kernels do not return to a stack pointer that is not canonical
  input.setGpr(RSP, BigInt.asUintN(47, input.gpr(RSP)));
}

// ---- operands

function withStack({ input, random }: Setting): void {
  if (random.chance(16)) input.windowAddress = LAST_WINDOW;
  const offset = input.windowAddress === LAST_WINDOW ? WINDOW_BYTES - 8 + random.below(16) : 96 + random.below(64);
  input.setGpr(RSP, BigInt(input.windowAddress + offset));
}

function withFrame(setting: Setting): void {
  withStack(setting);
  setting.input.setGpr(5, BigInt(setting.input.windowAddress + 96 + setting.random.below(64)));
}

/** An address in the slot, outside the instruction. */
function targetIn({ slot, random }: Setting): number {
  const entry = CODE_BASE + slot * SLOT_BYTES + SLOT_ENTRY;
  return random.chance(2) ? entry - 1 - random.below(20) : entry + 16 + random.below(8);
}

function writePointer({ input, encoded }: Setting, offset: number, value: number): void {
  if (offset < 0 || offset + 8 > WINDOW_BYTES) return;
  const view = new DataView(input.window.buffer, input.window.byteOffset);
  if (encoded.mode === 64) view.setBigUint64(offset, BigInt(value), true);
  else view.setUint32(offset, value, true);
}

function withTarget(setting: Setting, memoryOffset: number): void {
  const { input, encoded } = setting;
  const target = targetIn(setting);
  if (encoded.memory === undefined) input.setGpr(encoded.rm, BigInt(target));
  else writePointer(setting, memoryOffset, target);
  const window = input.windowAddress;
  withStack(setting);
  if (encoded.memory !== undefined && window !== input.windowAddress) {
    input.windowAddress = window;
    input.setGpr(RSP, BigInt(window + 96));
  }
}

function withReturnAddress(setting: Setting): void {
  withStack(setting);
  const { input } = setting;
  writePointer(setting, Number(input.gpr(RSP)) - input.windowAddress, targetIn(setting));
}

function withCount({ input, random }: Setting): void {
  input.setGpr(1, BigInt(random.below(3)) | (random.chance(4) ? random.u64() & ~0xffff_ffffn : 0n));
}

/** Dividends that fit, just fit and do not fit. */
function withDividend({ input, encoded, random }: Setting): void {
  const accumulator = input.gpr(0);
  const bits = encoded.width;
  if (bits === 8) {
    if (random.chance(2)) input.setGpr(0, BigInt.asUintN(64, BigInt.asIntN(8, accumulator)));
    return;
  }
  const sign = BigInt.asIntN(bits, accumulator) < 0n ? -1n : 0n;
  input.setGpr(2, random.of([0n, sign, BigInt(random.below(200)), -BigInt(random.below(200)), random.operand()]));
}

/** Bit offsets that stay near the operand, both ways. */
function withBitOffset({ input, encoded, random }: Setting): void {
  const { memory, reg } = encoded;
  if (memory === undefined || reg === memory.base || reg === memory.index) return;
  const offset = BigInt(random.below(160) - 80);
  const garbage = encoded.width === 64 ? 0n : random.u64() & ~((1n << BigInt(encoded.width)) - 1n);
  input.setGpr(reg, BigInt.asUintN(encoded.width, offset) | garbage);
}

function withTable({ input, encoded, random }: Setting): void {
  const address = BigInt(input.windowAddress + 100 + random.below(40)) - (input.gpr(0) & 0xffn);
  input.setGpr(3, encoded.addressSize === 32 ? BigInt.asUintN(32, address) | (random.u64() & ~0xffff_ffffn) : address);
}

/** Pointers into the window, a small count, few different values, either direction. */
function withStrings({ input, encoded, random }: Setting): void {
  const values = [0x00, 0x7f, 0x80];
  if (random.chance(3)) input.window.fill(random.of(values));
  else for (let i = 0; i < WINDOW_BYTES; i++) input.window[i] = random.chance(12) ? random.of(values) : 0x80;
  input.setGpr(0, random.of([0x8080_8080_8080_8080n, 0n, 0x7f80n, random.u64()]));
  const garbage = (): bigint => (encoded.addressSize === 32 && encoded.mode === 64 ? random.u64() & ~0xffff_ffffn : 0n);
  if (random.chance(6)) input.windowAddress = LAST_WINDOW;
  const near = input.windowAddress === LAST_WINDOW ? 180 : 90;
  for (const register of [6, 7])
    input.setGpr(register, BigInt(input.windowAddress + near + random.below(70)) | garbage());
  input.setGpr(1, BigInt(random.below(random.chance(2) ? 3 : 9)) | garbage());
  if (random.chance(2)) input.rflags |= DF;
}

/** The pair that a compare-and-exchange expects, half of the time. */
function withExpected({ input, encoded, random }: Setting, memoryOffset: number): void {
  if (random.chance(2)) return;
  const view = new DataView(input.window.buffer, input.window.byteOffset);
  const { memory } = encoded;
  if (memory === undefined) {
    input.setGpr(encoded.rm, random.chance(2) ? input.gpr(0) : input.gpr(encoded.rm));
    return;
  }
  if (memoryOffset < 0 || memoryOffset + 8 > WINDOW_BYTES) return;
  input.setGpr(0, view.getBigUint64(memoryOffset, true));
  input.setGpr(2, view.getBigUint64(memoryOffset, true) >> 32n);
}

function withExpected16({ input, encoded, random }: Setting): void {
  const { memory } = encoded;
  if (memory === undefined) return;
  const offset = 16 * (1 + random.below(14)) + (random.chance(8) ? 8 : 0);
  if (memory.base >= 0 && memory.index < 0) {
    const address = BigInt(input.windowAddress + offset - memory.displacement);
    input.setGpr(memory.base, memory.addressSize === 32 ? BigInt.asUintN(32, address) : address);
  }
  if (random.chance(3) || memory.base === 0) return;
  const view = new DataView(input.window.buffer, input.window.byteOffset);
  if (offset + 16 > WINDOW_BYTES) return;
  input.setGpr(0, view.getBigUint64(offset, true));
  input.setGpr(2, view.getBigUint64(offset + 8, true));
}

// ---- undefined flags

function countOf({ input, encoded }: Setting, kind: 'one' | 'immediate' | 'CL'): number {
  const count = kind === 'one' ? 1 : Number((kind === 'CL' ? input.gpr(1) : encoded.immediate) & 0xffn);
  return count & (encoded.width === 64 ? 63 : 31);
}

function afterShift(kind: 'one' | 'immediate' | 'CL') {
  return (setting: Setting): number => {
    const count = countOf(setting, kind);
    if (count === 0) return 0;
    return AF | (count === 1 ? 0 : OF) | (count >= setting.encoded.width ? CF : 0);
  };
}

function afterRotate(kind: 'one' | 'immediate' | 'CL') {
  return (setting: Setting): number => (countOf(setting, kind) > 1 ? OF : 0);
}

/** SHLD and SHRD of 16 bits by more than 16 are undefined as a whole: counts are kept below. */
function withDoubleShiftCount({ input, encoded, random }: Setting): void {
  if (encoded.width === 16) input.setGpr(1, (input.gpr(1) & ~0x1fn) | BigInt(random.below(17)));
}

function afterDoubleShift(kind: 'immediate' | 'CL') {
  return (setting: Setting): number => {
    const count = countOf(setting, kind);
    if (count === 0) return 0;
    return count > setting.encoded.width ? STATUS_FLAGS : AF | (count === 1 ? 0 : OF);
  };
}

// ---- the forms

const ARITHMETIC = ['ADD', 'OR', 'ADC', 'SBB', 'AND', 'SUB', 'XOR', 'CMP'];

function* arithmetic(): Iterable<FormUnderTest> {
  for (const [digit, name] of ARITHMETIC.entries()) {
    const options = { undefined: name === 'OR' || name === 'AND' || name === 'XOR' ? AF : 0 };
    const lock = name === 'CMP' ? '' : ' lock';
    const base = 8 * digit;
    yield form(name, `b ${opcode(base)} /r${lock}`, options);
    yield form(name, `v ${opcode(base + 1)} /r${lock}`, options);
    yield form(name, `b ${opcode(base + 2)} /r`, options);
    yield form(name, `v ${opcode(base + 3)} /r`, options);
    yield form(name, `b ${opcode(base + 4)} ib`, options);
    yield form(name, `v ${opcode(base + 5)} iz`, options);
    yield form(name, `b 80 /${digit} ib${lock}`, options);
    yield form(name, `v 81 /${digit} iz${lock}`, options);
    yield form(name, `v 83 /${digit} ib${lock}`, options);
  }
  for (const [digit, name] of ['INC', 'DEC'].entries()) {
    yield form(name, `b FE /${digit} lock`);
    yield form(name, `v FF /${digit} lock`);
    yield form(name, `v ${opcode(0x40 + 8 * digit)} +r`, { modes: PROTECTED });
  }
  for (const [row, options] of [
    ['TEST /0', { undefined: AF }],
    ['NOT /2', {}],
    ['NEG /3', {}],
    ['MUL /4', { undefined: SF | ZF | AF | PF }],
    ['IMUL /5', { undefined: SF | ZF | AF | PF }],
    ['DIV /6', { undefined: STATUS_FLAGS, prepare: withDividend }],
    ['IDIV /7', { undefined: STATUS_FLAGS, prepare: withDividend }],
  ] as const) {
    const [name, digit] = row.split(' ');
    yield form(name!, `b F6 ${digit}${digit === '/0' ? ' ib' : ''}`, options);
    yield form(name!, `v F7 ${digit}${digit === '/0' ? ' iz' : ''}`, options);
  }
  yield form('TEST', 'b 84 /r', { undefined: AF });
  yield form('TEST', 'v 85 /r', { undefined: AF });
  yield form('TEST', 'b A8 ib', { undefined: AF });
  yield form('TEST', 'v A9 iz', { undefined: AF });
  for (const template of ['v 0F AF /r', 'v 69 /r iz', 'v 6B /r ib'])
    yield form('IMUL', template, { undefined: SF | ZF | AF | PF });
  yield form('ADCX', 'y 66 0F 38 F6 /r');
  yield form('ADOX', 'y F3 0F 38 F6 /r');
  yield form('XADD', 'b 0F C0 /r lock');
  yield form('XADD', 'v 0F C1 /r lock');
  yield form('CMPXCHG', 'b 0F B0 /r lock', { prepare: withExpected });
  yield form('CMPXCHG', 'v 0F B1 /r lock', { prepare: withExpected });
  yield form('CMPXCHG8B', 'n 0F C7 /1 mem lock', { prepare: withExpected });
  yield form('CMPXCHG16B', 'q 0F C7 /1 mem lock', { prepare: withExpected16, modes: LONG });
}

function* shifts(): Iterable<FormUnderTest> {
  const names = ['ROL', 'ROR', 'RCL', 'RCR', 'SHL', 'SHR', 'SAL', 'SAR'];
  for (const [digit, name] of names.entries()) {
    const after = digit < 4 ? afterRotate : afterShift;
    yield form(name, `b C0 /${digit} ib`, { undefined: after('immediate') });
    yield form(name, `v C1 /${digit} ib`, { undefined: after('immediate') });
    yield form(name, `b D0 /${digit}`, { undefined: after('one') });
    yield form(name, `v D1 /${digit}`, { undefined: after('one') });
    yield form(name, `b D2 /${digit}`, { undefined: after('CL') });
    yield form(name, `v D3 /${digit}`, { undefined: after('CL') });
  }
  for (const [name, byte] of [
    ['SHLD', 0xa4],
    ['SHRD', 0xac],
  ] as const) {
    yield form(name, `y 0F ${opcode(byte)} /r ib`, { undefined: afterDoubleShift('immediate') });
    yield form(name, `v 0F ${opcode(byte + 1)} /r`, {
      undefined: afterDoubleShift('CL'),
      prepare: withDoubleShiftCount,
    });
  }
}

function* moves(): Iterable<FormUnderTest> {
  for (const template of [
    'b 88 /r',
    'v 89 /r',
    'b 8A /r',
    'v 8B /r',
    'b B0 +r ib',
    'v B8 +r iv',
    'b C6 /0 ib',
    'v C7 /0 iz',
  ])
    yield form('MOV', template);
  for (const template of ['b A0 moffs', 'v A1 moffs', 'b A2 moffs', 'v A3 moffs']) yield form('MOV', template);
  yield form('MOVZX', 'v 0F B6 /r');
  yield form('MOVZX', 'y 0F B7 /r');
  yield form('MOVSX', 'v 0F BE /r');
  yield form('MOVSX', 'y 0F BF /r');
  yield form('MOVSXD', 'y 63 /r', { modes: LONG });
  yield form('LEA', 'v 8D /r mem');
  yield form('XCHG', 'b 86 /r lock');
  yield form('XCHG', 'v 87 /r lock');
  yield form('XCHG', 'v 90 +r');
  for (let condition = 0; condition < 16; condition++) {
    yield form(`CMOV${condition}`, `v 0F ${opcode(0x40 + condition)} /r`);
    yield form(`SET${condition}`, `b 0F ${opcode(0x90 + condition)} /0`);
  }
  yield form('BSWAP', 'y 0F C8 +r');
  yield form('MOVBE', 'v 0F 38 F0 /r mem');
  yield form('MOVBE', 'v 0F 38 F1 /r mem');
  yield form('MOVNTI', 'y 0F C3 /r mem');
  yield form('CBW', 'v 98');
  yield form('CWD', 'v 99');
  yield form('XLAT', 'n D7', { prepare: withTable });
  yield form('LAHF', 'n 9F');
  yield form('SAHF', 'n 9E');
  for (const [name, byte] of Object.entries({ CMC: 0xf5, CLC: 0xf8, STC: 0xf9, CLD: 0xfc, STD: 0xfd }))
    yield form(name, `n ${opcode(byte)}`);
  for (const template of [
    'n 90',
    'n F3 90',
    'n F3 0F 1E FA',
    'n F3 0F 1E FB',
    'v 0F 1F /0',
    'n 0F 18 /1 mem',
    'n 0F 0D /1 mem',
  ])
    yield form('NOP', template);
  for (const template of ['n 0F AE E8', 'n 0F AE F0', 'n 0F AE F8']) yield form('FENCE', template);
  yield form('UD2', 'n 0F 0B');
}

function* stackAndBranches(): Iterable<FormUnderTest> {
  const stack = { prepare: withStack };
  for (const template of ['s 50 +r', 's FF /6', 's 6A ib', 's 68 iz']) yield form('PUSH', template, stack);
  for (const template of ['s 58 +r', 's 8F /0']) yield form('POP', template, stack);
  for (const template of ['n C8 10 00 00', 'n C8 20 00 01', 'n C8 08 00 03'])
    yield form('ENTER', template, { prepare: withFrame });
  yield form('LEAVE', 'n C9', { prepare: withFrame });
  yield form('JMP', 'n EB rel8');
  yield form('JMP', 'n E9 rel32');
  yield form('JMP', 'n FF /4', { prepare: withTarget });
  yield form('CALL', 'n E8 rel32', stack);
  yield form('CALL', 'n FF /2', { prepare: withTarget });
  yield form('RET', 'n C3', { prepare: withReturnAddress });
  yield form('RET', 'n C2 iw', { prepare: withReturnAddress });
  for (let condition = 0; condition < 16; condition++) {
    yield form(`J${condition}`, `n ${opcode(0x70 + condition)} rel8`);
    yield form(`J${condition}`, `n 0F ${opcode(0x80 + condition)} rel32`);
  }
  for (const [name, byte] of Object.entries({ LOOPNE: 0xe0, LOOPE: 0xe1, LOOP: 0xe2, JRCXZ: 0xe3 }))
    yield form(name, `n ${opcode(byte)} rel8`, { prepare: withCount });
}

/** The SDM restores the flags when a repeated comparison faults, Intel's way; other processors keep those of the elements before. */
function forgiveFlagsOfFault(_setting: Setting, native: StateRecord, simulated: StateRecord): void {
  if (native.vector === PAGE_FAULT) native.rflags = simulated.rflags;
}

function* strings(): Iterable<FormUnderTest> {
  for (const [name, byte] of Object.entries({ MOVS: 0xa4, CMPS: 0xa6, STOS: 0xaa, LODS: 0xac, SCAS: 0xae })) {
    const prefixes = name === 'CMPS' || name === 'SCAS' ? ['', 'F3 ', 'F2 '] : ['', 'F3 '];
    for (const prefix of prefixes) {
      const options: Options = { prepare: withStrings };
      if (prefix !== '' && prefixes.length > 2) options.forgive = forgiveFlagsOfFault;
      yield form(`${prefix}${name}`, `b ${prefix}${opcode(byte)}`, options);
      yield form(`${prefix}${name}`, `v ${prefix}${opcode(byte + 1)}`, options);
    }
  }
}

function* bits(): Iterable<FormUnderTest> {
  for (const [digit, name] of [
    [4, 'BT'],
    [5, 'BTS'],
    [6, 'BTR'],
    [7, 'BTC'],
  ] as const) {
    const lock = digit === 4 ? '' : ' lock';
    yield form(name, `v 0F ${opcode(0x83 + 8 * digit)} /r${lock}`, {
      undefined: OF | SF | AF | PF,
      prepare: withBitOffset,
    });
    yield form(name, `v 0F BA /${digit} ib${lock}`, { undefined: OF | SF | AF | PF });
  }
  yield form('BSF', 'v 0F BC /r', { undefined: CF | OF | SF | AF | PF });
  yield form('BSR', 'v 0F BD /r', { undefined: CF | OF | SF | AF | PF });
  yield form('POPCNT', 'v F3 0F B8 /r');
  yield form('CRC32', 'b F2 0F 38 F0 /r');
  yield form('CRC32', 'v F2 0F 38 F1 /r');
}

export const INTEGER_FORMS: readonly FormUnderTest[] = [
  ...arithmetic(),
  ...shifts(),
  ...moves(),
  ...stackAndBranches(),
  ...strings(),
  ...bits(),
  ...decimal(),
];

function* bmi(): Iterable<FormUnderTest> {
  const counts = { undefined: OF | SF | AF | PF };
  yield form('TZCNT', 'v F3 0F BC /r', counts);
  yield form('LZCNT', 'v F3 0F BD /r', counts);
  const logic = { undefined: AF | PF };
  yield form('ANDN', 'y VEX.LZ.0F38 F2 /r vvvv', logic);
  yield form('BEXTR', 'y VEX.LZ.0F38 F7 /r vvvv', { undefined: SF | AF | PF });
  yield form('BLSR', 'y VEX.LZ.0F38 F3 /1 vvvv', logic);
  yield form('BLSMSK', 'y VEX.LZ.0F38 F3 /2 vvvv', logic);
  yield form('BLSI', 'y VEX.LZ.0F38 F3 /3 vvvv', logic);
  yield form('BZHI', 'y VEX.LZ.0F38 F5 /r vvvv', logic);
  yield form('PEXT', 'y VEX.LZ.F3.0F38 F5 /r vvvv');
  yield form('PDEP', 'y VEX.LZ.F2.0F38 F5 /r vvvv');
  yield form('MULX', 'y VEX.LZ.F2.0F38 F6 /r vvvv');
  yield form('RORX', 'y VEX.LZ.F2.0F3A F0 /r ib');
  yield form('SARX', 'y VEX.LZ.F3.0F38 F7 /r vvvv');
  yield form('SHLX', 'y VEX.LZ.66.0F38 F7 /r vvvv');
  yield form('SHRX', 'y VEX.LZ.F2.0F38 F7 /r vvvv');
}

function* decimal(): Iterable<FormUnderTest> {
  const unpacked = { undefined: OF | SF | ZF | PF, modes: PROTECTED };
  yield form('AAA', 'n 37', unpacked);
  yield form('AAS', 'n 3F', unpacked);
  yield form('DAA', 'n 27', { undefined: OF, modes: PROTECTED });
  yield form('DAS', 'n 2F', { undefined: OF, modes: PROTECTED });
  yield form('AAM', 'n D4 ib', { undefined: OF | AF | CF, modes: PROTECTED });
  yield form('AAD', 'n D5 ib', { undefined: OF | AF | CF, modes: PROTECTED });
}

/** Forms of BMI1, BMI2 and LZCNT. */
export const BMI_FORMS: readonly FormUnderTest[] = [...bmi()];
