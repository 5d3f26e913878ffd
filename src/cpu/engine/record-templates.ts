/**
 * Records by the bytes that an instruction of 64-bit code begins with: prefixes, opcode, ModRM, SIB. What follows them, a displacement and an immediate,
 * is all that two instructions with the same beginning differ in. So the decoder and the binder are asked once for each beginning, and what they
 * have answered is copied from then on. A boot of Debian decodes 370,000 instructions with 14,000 beginnings.
 */
import { ImmediateCoding, type Instruction } from '../../isa/index.ts';
import type { HostMemory } from '../../memory/index.ts';
import { type Bound, isNear, isRelative } from './binder.ts';
import { R } from './record.ts';

const PAGE_BYTES = 4096;
const LONGEST_KEY_BYTES = 8;
/** a power of two, half of which are used at most */
const SLOTS = 32_768;
/** of what is kept: how many templates there are */
const COUNT_BYTES = 4;

/** Words of a slot, which is half a cache line: two of them the key, then the words of the record that the beginning decides. */
const T = {
  keyLow: 0,
  keyHigh: 1,
  registers: 2,
  /** the third register operand; above it, what `D` says */
  thirdRegister: 3,
  length: 4,
  addressing: 5,
  /** the immediate where it is not in the bytes (shifts by 1) */
  immediate: 6,
  /** of branches, below that of those that leave the page, above that of the others; 0 not known yet; both 0 if the slot is free */
  handlers: 7,
  words: 8,
} as const;

/** In the upper half of `thirdRegister`. */
const D = {
  /** bits 1:0: displacement of 1 or 4 bytes */
  shortDisplacement: 1,
  longDisplacement: 2,
  /** bits 4:2: an `ImmediateCoding` */
  codingShift: 2,
  codingMask: 7,
  relative: 1 << 5,
  /** bits 15:6: the traits */
  traitsShift: 6,
} as const;

/** by `ImmediateCoding` */
const IMMEDIATE_BYTES = [0, 1, 2, 1, 1, 4, 8];

/** By byte of 64-bit code: 1 for what stands before the opcode. */
const IS_PREFIX = new Uint8Array(256).fill(1, 0x40, 0x50);
for (const prefix of [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]) IS_PREFIX[prefix] = 1;
const TWO_BYTE_OPCODE = 0x0f;

/** What follows the opcode in a beginning. */
const OpcodeClass = { Unknown: 0, Alone: 1, ModRm: 2 } as const;

export class RecordTemplates {
  readonly #u8: Uint8Array;
  readonly #i32: Int32Array;
  /** of the one-byte and of the two-byte opcodes: an `OpcodeClass` */
  readonly #classes = new Uint8Array(512);
  #slots = new Int32Array(SLOTS * T.words);
  #count = 0;
  /** how a beginning was read: its length, and the two halves of its key */
  #beginningBytes = 0;
  #keyLow = 0;
  #keyHigh = 0;

  constructor(memory: HostMemory) {
    this.#u8 = memory.u8;
    this.#i32 = memory.i32;
  }

  /**
   * What another run of the same engine can start with: the templates whose handlers have an index below `handlersEnd`. They stand in a table as here, so
   * that the other run need not put them in one by one.
   */
  kept(handlersEnd: number): Uint8Array {
    const all = this.#slots;
    const table = new Int32Array(all.length);
    let count = 0;
    for (let slot = 0; slot < all.length; slot += T.words) {
      const handlers = all[slot + T.handlers]!;
      if (handlers === 0 || (handlers & 0xffff) >= handlersEnd || handlers >>> 16 >= handlersEnd) continue;
      table.set(all.subarray(slot, slot + T.words), slotOf(table, all[slot]!, all[slot + T.keyHigh]!));
      count++;
    }
    const bytes = new Uint8Array(this.#classes.length + COUNT_BYTES + table.byteLength);
    bytes.set(this.#classes);
    new DataView(bytes.buffer).setUint32(this.#classes.length, count, true);
    bytes.set(new Uint8Array(table.buffer), this.#classes.length + COUNT_BYTES);
    return bytes;
  }

  /** Takes what `kept` has given. */
  restore(kept: Uint8Array): void {
    const countAt = this.#classes.length;
    this.#classes.set(kept.subarray(0, countAt));
    this.#count = new DataView(kept.buffer, kept.byteOffset + countAt).getUint32(0, true);
    this.#slots = new Int32Array(kept.slice(countAt + COUNT_BYTES).buffer);
  }

  /** Writes the record of the instruction at a page offset and returns its traits, if another that begins with the same bytes is known; else -1. */
  write(record: number, page: number, offset: number): number {
    if (!this.#readBeginning(page + offset)) return -1;
    const slots = this.#slots;
    const slot = slotOf(slots, this.#keyLow, this.#keyHigh);
    const handlers = slots[slot + T.handlers]!;
    if (handlers === 0) return -1;
    const bytes = this.#u8;
    const length = slots[slot + T.length]!;
    const next = offset + (length & 0xff);
    if (next > PAGE_BYTES) return -1;
    const third = slots[slot + T.thirdRegister]!;
    const description = third >>> 16;
    let at = page + offset + this.#beginningBytes;
    let displacement = 0;
    if ((description & D.shortDisplacement) !== 0) displacement = (bytes[at++]! << 24) >> 24;
    else if ((description & D.longDisplacement) !== 0) {
      displacement = this.#doubleword(at);
      at += 4;
    }
    let low = slots[slot + T.immediate]!;
    let high = 0;
    switch ((description >> D.codingShift) & D.codingMask) {
      case ImmediateCoding.None:
        break;
      case ImmediateCoding.Byte:
        low = bytes[at]!;
        break;
      case ImmediateCoding.Word:
        low = bytes[at]! | (bytes[at + 1]! << 8);
        break;
      case ImmediateCoding.SignedByte:
        low = (bytes[at]! << 24) >> 24;
        high = low >> 31;
        break;
      case ImmediateCoding.SignedByteTo16:
        low = ((bytes[at]! << 24) >> 24) & 0xffff;
        break;
      case ImmediateCoding.SignedDoubleword:
        low = this.#doubleword(at);
        high = low >> 31;
        break;
      default:
        low = this.#doubleword(at);
        high = this.#doubleword(at + 4);
    }
    let handler = handlers & 0xffff;
    if ((description & D.relative) !== 0) {
      high = 0;
      if (isNear(next + low)) handler = handlers >>> 16;
      if (handler === 0) return -1;
    }
    const i32 = this.#i32;
    const word = record >> 2;
    i32[word] = handler;
    i32[word + 1] = slots[slot + T.registers]!;
    i32[word + 2] = (third & 0xffff) | (next << 16);
    i32[word + 3] = length;
    i32[word + 4] = low;
    i32[word + 5] = high;
    i32[word + 6] = displacement;
    i32[word + 7] = slots[slot + T.addressing]!;
    return description >> D.traitsShift;
  }

  /** Keeps what the decoder and the binder have made of the instruction at a page offset of 64-bit code. */
  learn(record: number, page: number, offset: number, instruction: Instruction, bound: Bound): void {
    const { form, immediateCoding, displacementBytes, length } = instruction;
    const { handler } = bound;
    if (bound.part === undefined || form.vex || immediateCoding === ImmediateCoding.Other || handler > 0xffff) return;
    const beginningBytes = length - displacementBytes - IMMEDIATE_BYTES[immediateCoding]!;
    if (!this.#learnClass(page + offset, beginningBytes)) return;
    if (!this.#readBeginning(page + offset) || this.#beginningBytes !== beginningBytes) return;
    const i32 = this.#i32;
    const word = record >> 2;
    const isConstant = immediateCoding === ImmediateCoding.None;
    if (isConstant && i32[word + R.immediate / 4 + 1] !== 0) return;
    const slots = this.#slots;
    const slot = slotOf(slots, this.#keyLow, this.#keyHigh);
    if (slots[slot + T.handlers] === 0) {
      if (this.#count === SLOTS / 2) return;
      this.#count++;
    }
    const isBranch = isRelative(instruction);
    const description =
      (displacementBytes === 0 ? 0 : displacementBytes === 1 ? D.shortDisplacement : D.longDisplacement) |
      (immediateCoding << D.codingShift) |
      (isBranch ? D.relative : 0) |
      (bound.traits << D.traitsShift);
    slots[slot + T.keyLow] = this.#keyLow;
    slots[slot + T.keyHigh] = this.#keyHigh;
    slots[slot + T.registers] = i32[word + 1]!;
    slots[slot + T.thirdRegister] = (i32[word + 2]! & 0xffff) | (description << 16);
    slots[slot + T.length] = i32[word + 3]!;
    slots[slot + T.addressing] = i32[word + 7]!;
    slots[slot + T.immediate] = isConstant ? i32[word + R.immediate / 4]! : 0;
    const stays = isBranch && isNear(offset + length + instruction.immediateLow);
    slots[slot + T.handlers]! |= stays ? handler << 16 : handler;
  }

  /** Reads what stands before displacement and immediate; false if its opcode is not known, or it is too long for a key. */
  #readBeginning(start: number): boolean {
    const bytes = this.#u8;
    let at = start;
    let byte = bytes[at++]!;
    while (IS_PREFIX[byte] !== 0) byte = bytes[at++]!;
    const opcode = byte === TWO_BYTE_OPCODE ? 256 + bytes[at++]! : byte;
    const opcodeClass = this.#classes[opcode]!;
    if (opcodeClass === OpcodeClass.Unknown) return false;
    if (opcodeClass === OpcodeClass.ModRm) {
      const modrm = bytes[at++]!;
      if (modrm < 0xc0 && (modrm & 7) === 4) at++;
    }
    const length = at - start;
    if (length > LONGEST_KEY_BYTES) return false;
    let low = bytes[start]!;
    let high = 0;
    if (length > 1) low |= bytes[start + 1]! << 8;
    if (length > 2) low |= bytes[start + 2]! << 16;
    if (length > 3) low |= bytes[start + 3]! << 24;
    for (let i = 4; i < length; i++) high |= bytes[start + i]! << ((i - 4) * 8);
    this.#beginningBytes = length;
    this.#keyLow = low;
    this.#keyHigh = high;
    return true;
  }

  /** Notes how the opcode's beginnings go on; false if it is of another kind than these, as all opcodes of three bytes. */
  #learnClass(start: number, beginningBytes: number): boolean {
    const bytes = this.#u8;
    let at = start;
    while (IS_PREFIX[bytes[at]!] !== 0) at++;
    const opcode = bytes[at] === TWO_BYTE_OPCODE ? 256 + bytes[++at]! : bytes[at]!;
    if (opcode === 256 + 0x38 || opcode === 256 + 0x3a) return false;
    this.#classes[opcode] = start + beginningBytes > at + 1 ? OpcodeClass.ModRm : OpcodeClass.Alone;
    return true;
  }

  #doubleword(at: number): number {
    const bytes = this.#u8;
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }
}

/** Where the template with a key is, or the free slot where it belongs. */
function slotOf(slots: Int32Array, low: number, high: number): number {
  let slot = (Math.imul(low ^ Math.imul(high, 0x85eb_ca6b), 0x9e37_79b1) >>> 17) * T.words;
  while (slots[slot + T.handlers] !== 0 && (slots[slot] !== low || slots[slot + T.keyHigh] !== high))
    slot = (slot + T.words) & (SLOTS * T.words - 1);
  return slot;
}
