/** The x86 decoder: bytes to `Instruction`. Source: Intel SDM volume 2, "Instruction Format" and "Opcode Map". */
import {
  type DecodeTable,
  decodeTables,
  GROUP,
  GROUP_CELLS,
  type Layout,
  type OperandLayout,
  UNKNOWN,
} from './decode-table.ts';
import { BASE_FEATURES, type InstructionFeature } from './features.ts';
import {
  type Form,
  ImmediateCoding,
  type Instruction,
  type Operand,
  OperandKind,
  Prefix,
  VectorState,
} from './instruction.ts';
import { Source } from './opcodes/syntax.ts';

export const DecodeResult = {
  Ok: 0,
  /** the bytes ended before the instruction did: fetch more and decode again */
  Truncated: 1,
  /** #UD */
  Invalid: 2,
  /** more than 15 bytes: #GP(0) */
  TooLong: 3,
} as const;
export type DecodeResult = (typeof DecodeResult)[keyof typeof DecodeResult];

const MAXIMUM_LENGTH = 15;
const NO_FORM: Form = {
  id: 0,
  mnemonic: '(bad)',
  operation: '(bad)',
  condition: -1,
  feature: '',
  vex: false,
  vectorState: VectorState.None,
};

const SEGMENT_SS = 2;
const SEGMENT_DS = 3;
const RIP = 16;
const VALID_CONTROL_REGISTERS = (1 << 0) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 8);

/** Base and index of the eight 16-bit addressing modes (BX+SI, BX+DI, BP+SI, BP+DI, SI, DI, BP, BX). */
const BASE_16 = Int8Array.of(3, 3, 5, 5, 6, 7, 5, 3);
const INDEX_16 = Int8Array.of(6, 7, 6, 7, -1, -1, -1, -1);

/** What a byte is when it stands before the opcode. */
const ByteClass = {
  Opcode: 0,
  Segment: 1,
  OperandSize: 2,
  AddressSize: 3,
  Lock: 4,
  RepNe: 5,
  Rep: 6,
  Rex: 7,
  Vex: 8,
} as const;
const BYTE_CLASS = new Uint8Array(256);
for (const byte of [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]) BYTE_CLASS[byte] = ByteClass.Segment;
BYTE_CLASS.set([ByteClass.OperandSize, ByteClass.AddressSize], 0x66);
BYTE_CLASS[0xf0] = ByteClass.Lock;
BYTE_CLASS.set([ByteClass.RepNe, ByteClass.Rep], 0xf2);
BYTE_CLASS.set([ByteClass.Vex, ByteClass.Vex], 0xc4);
const BYTE_CLASS_64 = BYTE_CLASS.slice().fill(ByteClass.Rex, 0x40, 0x50);

/** Prefixes that make an instruction with a VEX prefix #UD; a REX prefix does too (SDM volume 2, "VEX and the LOCK prefix" and what follows). */
const NOT_BEFORE_VEX = Prefix.OperandSize | Prefix.Lock | Prefix.Rep | Prefix.RepNe;

/** An empty instruction to decode into. */
export function createInstruction(): Instruction {
  const operand = (): Operand => ({ kind: OperandKind.Gpr, size: 0, register: 0 });
  return {
    form: NO_FORM,
    shape: 0,
    length: 0,
    mode: 64,
    operandSize: 32,
    addressSize: 64,
    prefixes: 0,
    segment: SEGMENT_DS,
    base: -1,
    index: -1,
    vectorIndex: 0,
    scaleShift: 0,
    displacement: 0,
    displacementHigh: 0,
    displacementBytes: 0,
    immediateLow: 0,
    immediateHigh: 0,
    immediateCoding: ImmediateCoding.None,
    immediate2: 0,
    operandCount: 0,
    operands: [operand(), operand(), operand(), operand()],
  };
}

/**
 * Decodes one instruction at a time; holds no guest state, so one decoder serves every vCPU.
 *
 * Conventions that `Instruction` leaves open:
 * - immediates of 8 and 16 bits are zero-extended in `immediateLow`, those of 32 and 64 bits sign-extended into `immediateHigh`;
 *   ENTER's level and a far pointer's selector are in `immediate2`; the constant 1 of a shift is `immediateLow` = 1
 * - string instructions: base/segment describe the rSI operand where there is one (MOVS, CMPS, LODS, OUTS), else the
 *   rDI operand (STOS, SCAS, INS); the rDI operand of MOVS and CMPS is always ES:rDI
 * - XLATB: base is rBX; the operation adds AL
 * - MASKMOVQ, MASKMOVDQU and MONITOR: base/segment describe the memory operand that is not listed
 */
export class Decoder {
  #legacy: DecodeTable;
  #long: DecodeTable;
  #bytes: Uint8Array = new Uint8Array(0);
  /** position of the next byte */
  #at = 0;
  /** first position that may not be read */
  #end = 0;
  /** REX, or the bits of a VEX prefix that mean the same */
  #rex = 0;
  #vvvv = 0;

  constructor(features: readonly InstructionFeature[] = BASE_FEATURES) {
    [this.#legacy, this.#long] = decodeTables(features);
  }

  /**
   * Decodes the instruction at `bytes[offset]`, reading nothing at or after `limit`, into `out`.
   * `mode` is the width of the code segment. Unless the result is `Ok`, `out` is not to be used.
   */
  decode(bytes: Uint8Array, offset: number, limit: number, mode: 16 | 32 | 64, out: Instruction): DecodeResult {
    const long = mode === 64;
    const end = Math.min(limit, offset + MAXIMUM_LENGTH);
    const short = limit - offset >= MAXIMUM_LENGTH ? DecodeResult.TooLong : DecodeResult.Truncated;
    const classes = long ? BYTE_CLASS_64 : BYTE_CLASS;
    let at = offset;
    let prefixes = 0;
    let override = -1;
    let rex = 0;
    let opcode = 0;
    let vex = 0;
    for (;;) {
      if (at >= end) return short;
      opcode = bytes[at++]!;
      const byteClass = classes[opcode]!;
      if (byteClass === ByteClass.Opcode) break;
      if (byteClass === ByteClass.Rex) {
        rex = opcode;
        continue;
      }
      if (byteClass === ByteClass.Vex) {
        if (at >= end) return short;
        // Outside 64-bit mode these are LES and LDS, which take no register.
        if (long || bytes[at]! >= 0xc0) vex = opcode;
        break;
      }
      // A REX prefix acts only directly before the opcode.
      rex = 0;
      if (byteClass === ByteClass.OperandSize) prefixes |= Prefix.OperandSize;
      else if (byteClass === ByteClass.AddressSize) prefixes |= Prefix.AddressSize;
      else if (byteClass === ByteClass.Lock) prefixes |= Prefix.Lock;
      else if (byteClass === ByteClass.RepNe) prefixes = (prefixes & ~Prefix.Rep) | Prefix.RepNe;
      else if (byteClass === ByteClass.Rep) prefixes = (prefixes & ~Prefix.RepNe) | Prefix.Rep;
      else if (opcode >= 0x64) override = opcode - 0x60;
      // In 64-bit mode ES, CS, SS and DS overrides are null prefixes.
      else if (!long) override = (opcode >> 3) & 3;
    }

    const table = long ? this.#long : this.#legacy;
    let map = 0;
    let entry = 0;
    if (vex !== 0) {
      if (rex !== 0 || (prefixes & NOT_BEFORE_VEX) !== 0) return DecodeResult.Invalid;
      const threeBytes = vex === 0xc4;
      if (at + (threeBytes ? 2 : 1) >= end) return short;
      const first = bytes[at++]!;
      const last = threeBytes ? bytes[at++]! : first & 0x7f;
      map = threeBytes ? first & 0x1f : 1;
      if (map === 0 || map > 3) return DecodeResult.Invalid;
      opcode = bytes[at++]!;
      this.#vvvv = (~last >> 3) & 15;
      // R, X and B are stored inverted; the two-byte form has R only.
      if (long) rex = (threeBytes ? (~first >> 5) & 7 : (~first >> 5) & 4) | ((last >> 4) & 8);
      const index = ((((((last >> 7) << 1) | ((last >> 2) & 1)) << 4) | ((last & 3) << 2) | map) << 8) | opcode;
      entry = table.vexEntries[index]!;
      if (entry === UNKNOWN) entry = table.resolveVex(index);
    } else if (opcode === 0x0f) {
      if (at >= end) return short;
      opcode = bytes[at++]!;
      map = 1;
      if (opcode === 0x38 || opcode === 0x3a) {
        map = opcode === 0x38 ? 2 : 3;
        if (at >= end) return short;
        opcode = bytes[at++]!;
      }
    }

    const size66 = (prefixes & Prefix.OperandSize) !== 0;
    const sizeIndex = (rex & 8) !== 0 ? 2 : (mode === 16) === size66 ? 1 : 0;
    const prefixIndex = (prefixes & Prefix.RepNe) !== 0 ? 3 : (prefixes & Prefix.Rep) !== 0 ? 2 : size66 ? 1 : 0;
    const size67 = (prefixes & Prefix.AddressSize) !== 0;
    const addressSize = long ? (size67 ? 32 : 64) : (mode === 16) === size67 ? 32 : 16;

    // 90 with REX.B is XCHG R8, RAX: the row of 91 (but F3 90 is PAUSE).
    const row = map === 0 && opcode === 0x90 && (rex & 1) !== 0 && prefixIndex !== 2 ? 0x91 : opcode;
    if (vex === 0) {
      const index = (((sizeIndex * 4 + prefixIndex) * 4 + map) << 8) | row;
      entry = table.entries[index]!;
      if (entry === UNKNOWN) entry = table.resolve(index);
    }
    let modrm = 0;
    if (entry >= GROUP) {
      if (at >= end) return short;
      modrm = bytes[at]!;
      const cell = modrm >= 0xc0 ? modrm - 0xb8 : (modrm >> 3) & 7;
      entry = table.groups[(entry - GROUP) * GROUP_CELLS + cell]!;
    }
    let layout = table.layouts[entry]!;
    if (layout === null) return DecodeResult.Invalid;
    if (vex !== 0 && !layout.usesVvvv && this.#vvvv !== 0) return DecodeResult.Invalid;
    while (layout.addressSize !== 0 && layout.addressSize !== addressSize) layout = layout.otherwise!;

    out.form = layout.form;
    out.mode = mode;
    out.operandSize = layout.operandSize;
    out.addressSize = addressSize;
    out.segment = override >= 0 ? override : SEGMENT_DS;
    out.base = -1;
    out.index = -1;
    out.vectorIndex = layout.vectorIndex;
    out.scaleShift = 0;
    out.displacement = 0;
    out.displacementHigh = 0;
    out.displacementBytes = 0;
    out.immediateLow = 0;
    out.immediateHigh = 0;
    out.immediateCoding = layout.immediateCoding;
    out.immediate2 = 0;

    this.#bytes = bytes;
    this.#end = end;
    this.#rex = rex;
    this.#at = at;
    if (layout.hasModrm) {
      if (at >= end) return short;
      modrm = bytes[at]!;
      this.#at = at + 1;
      if (modrm < 0xc0 && layout.modrmMemory && !this.#readMemory(modrm, override, out)) return short;
    }
    if (layout.implicitBase >= 0) out.base = layout.implicitBase;
    const isMemory = layout.modrmMemory && modrm < 0xc0;
    if ((prefixes & Prefix.Lock) !== 0 && !(layout.lockable && isMemory)) return DecodeResult.Invalid;

    out.shape = isMemory ? layout.shape + 1 : layout.shape;
    const operands = layout.operands;
    out.operandCount = operands.length;
    for (let i = 0; i < operands.length; i += 1) {
      const result = this.#readOperand(operands[i]!, out.operands[i]!, layout, modrm, opcode, isMemory, out, i);
      if (result !== DecodeResult.Ok) return result === DecodeResult.Truncated ? short : result;
    }
    if (layout.vectorIndex !== 0 && !this.#isGather(modrm, out)) return DecodeResult.Invalid;
    // Prefixes that chose the form are part of the opcode, not prefixes.
    if (layout.mandatoryPrefix !== 0) prefixes &= ~layout.mandatoryPrefix;
    out.prefixes = prefixes;
    out.length = this.#at - offset;
    return DecodeResult.Ok;
  }

  /** ModRM, SIB and displacement of a memory operand; false when the bytes end. */
  #readMemory(modrm: number, override: number, out: Instruction): boolean {
    const mod = modrm >> 6;
    const rm = modrm & 7;
    let displacementBytes = mod === 1 ? 1 : mod === 2 ? 4 : 0;
    if (out.addressSize === 16) {
      if (mod === 2 || (mod === 0 && rm === 6)) displacementBytes = 2;
      if (mod !== 0 || rm !== 6) {
        out.base = BASE_16[rm]!;
        out.index = INDEX_16[rm]!;
        if (out.base === 5 && override < 0) out.segment = SEGMENT_SS;
      }
    } else {
      let base = rm;
      if (rm === 4) {
        if (this.#at >= this.#end) return false;
        const sib = this.#bytes[this.#at++]!;
        const index = ((sib >> 3) & 7) | ((this.#rex & 2) << 2);
        if (index !== 4 || out.vectorIndex !== 0) {
          out.index = index;
          out.scaleShift = sib >> 6;
        }
        base = sib & 7;
      }
      if (mod === 0 && base === 5) {
        displacementBytes = 4;
        if (rm === 5 && out.mode === 64) out.base = RIP;
      } else {
        out.base = base | ((this.#rex & 1) << 3);
        if ((out.base === 4 || out.base === 5) && override < 0) out.segment = SEGMENT_SS;
      }
    }
    if (displacementBytes === 0) return true;
    if (this.#at + displacementBytes > this.#end) return false;
    if (displacementBytes === 1) out.displacement = (this.#bytes[this.#at]! << 24) >> 24;
    else if (displacementBytes === 2) out.displacement = (this.#read16(this.#at) << 16) >> 16;
    else out.displacement = this.#read32(this.#at);
    out.displacementHigh = out.displacement >> 31;
    out.displacementBytes = displacementBytes;
    this.#at += displacementBytes;
    return true;
  }

  /** A gather has a SIB byte, and target, index and mask that differ. */
  #isGather(modrm: number, out: Instruction): boolean {
    const { index, operands } = out;
    const [target, , mask] = operands;
    const differ = target.register !== index && target.register !== mask.register && mask.register !== index;
    return (modrm & 7) === 4 && out.addressSize !== 16 && differ;
  }

  #readOperand(
    from: OperandLayout,
    to: Operand,
    layout: Layout,
    modrm: number,
    opcode: number,
    isMemory: boolean,
    out: Instruction,
    position: number,
  ): DecodeResult {
    to.kind = from.kind;
    to.size = from.size >= 0 ? from.size : out.addressSize;
    to.register = 0;
    switch (from.source) {
      case Source.Rm:
        if (isMemory) {
          to.kind = OperandKind.Memory;
          to.size = from.memorySize;
          return DecodeResult.Ok;
        }
        return this.#setRegister(to, modrm & 7, (this.#rex & 1) << 3);
      case Source.Reg:
        return this.#setSelectedRegister(to, (modrm >> 3) & 7, position);
      case Source.OpcodeReg:
        return this.#setRegister(to, opcode & 7, (this.#rex & 1) << 3);
      case Source.Fixed:
        to.register = from.register;
        return DecodeResult.Ok;
      case Source.One:
        out.immediateLow = 1;
        return DecodeResult.Ok;
      case Source.StringSource:
        out.base = 6;
        return DecodeResult.Ok;
      case Source.StringDestination:
        if (out.base < 0 && layout.operands[1 - position]!.source !== Source.StringSource) {
          out.base = 7;
          out.segment = 0;
        }
        return DecodeResult.Ok;
      case Source.Xlat:
        out.base = 3;
        return DecodeResult.Ok;
      case Source.Vvvv:
        to.register = out.mode === 64 ? this.#vvvv : this.#vvvv & 7;
        return DecodeResult.Ok;
      case Source.Is4:
        if (this.#at >= this.#end) return DecodeResult.Truncated;
        to.register = (this.#bytes[this.#at++]! >> 4) & (out.mode === 64 ? 15 : 7);
        return DecodeResult.Ok;
      default:
        return this.#readImmediate(from.source, layout.operandSize, position, out)
          ? DecodeResult.Ok
          : DecodeResult.Truncated;
    }
  }

  #setRegister(to: Operand, low: number, extension: number): DecodeResult {
    if (to.kind === OperandKind.Mmx || to.kind === OperandKind.X87) to.register = low;
    else if (to.kind === OperandKind.Gpr && to.size === 8 && this.#rex === 0 && low >= 4) to.register = low + 12;
    else to.register = low | extension;
    return DecodeResult.Ok;
  }

  /** ModRM.reg, which also names segment, control and debug registers; not all of their numbers exist. */
  #setSelectedRegister(to: Operand, low: number, position: number): DecodeResult {
    this.#setRegister(to, low, (this.#rex & 4) << 1);
    const register = to.register;
    if (to.kind === OperandKind.Segment) {
      to.register = low;
      return low > 5 || (low === 1 && position === 0) ? DecodeResult.Invalid : DecodeResult.Ok;
    }
    if (to.kind === OperandKind.Control) {
      return ((VALID_CONTROL_REGISTERS >> register) & 1) !== 0 ? DecodeResult.Ok : DecodeResult.Invalid;
    }
    return to.kind === OperandKind.Debug && register > 7 ? DecodeResult.Invalid : DecodeResult.Ok;
  }

  /** Immediates, branch displacements, far pointers and direct addresses; false when the bytes end. */
  #readImmediate(source: Source, operandSize: number, position: number, out: Instruction): boolean {
    const at = this.#at;
    const width = this.#immediateBytes(source, operandSize, out.addressSize);
    if (at + width > this.#end) return false;
    this.#at = at + width;
    switch (source) {
      case Source.Imm8:
        if (position > 0 && out.operands[0].kind === OperandKind.Immediate) out.immediate2 = this.#bytes[at]!;
        else out.immediateLow = this.#bytes[at]!;
        return true;
      case Source.SignedImm8:
        this.#setImmediate((this.#bytes[at]! << 24) >> 24, operandSize, out);
        return true;
      case Source.Imm16:
        out.immediateLow = this.#read16(at);
        return true;
      case Source.Rel8:
        this.#setImmediate((this.#bytes[at]! << 24) >> 24, 64, out);
        return true;
      case Source.RelZ:
        this.#setImmediate(width === 2 ? (this.#read16(at) << 16) >> 16 : this.#read32(at), 64, out);
        return true;
      case Source.ImmZ:
        this.#setImmediate(width === 2 ? this.#read16(at) : this.#read32(at), operandSize, out);
        return true;
      case Source.ImmV:
        this.#setImmediate(width === 2 ? this.#read16(at) : this.#read32(at), operandSize, out);
        if (width === 8) out.immediateHigh = this.#read32(at + 4);
        return true;
      case Source.Far:
        out.immediateLow = width === 4 ? this.#read16(at) : this.#read32(at);
        out.immediate2 = this.#read16(at + width - 2);
        return true;
      default:
        out.displacement = width === 2 ? this.#read16(at) : this.#read32(at);
        out.displacementHigh = width === 8 ? this.#read32(at + 4) : 0;
        return true;
    }
  }

  #immediateBytes(source: Source, operandSize: number, addressSize: number): number {
    switch (source) {
      case Source.Imm8:
      case Source.SignedImm8:
      case Source.Rel8:
        return 1;
      case Source.Imm16:
        return 2;
      case Source.ImmV:
        return operandSize >> 3;
      case Source.Far:
        return operandSize === 16 ? 4 : 6;
      case Source.Moffs:
        return addressSize >> 3;
      default:
        return operandSize === 16 ? 2 : 4;
    }
  }

  #setImmediate(value: number, size: number, out: Instruction): void {
    out.immediateLow = size === 16 ? value & 0xffff : value;
    out.immediateHigh = size >= 32 ? value >> 31 : 0;
  }

  #read16(at: number): number {
    return this.#bytes[at]! | (this.#bytes[at + 1]! << 8);
  }

  #read32(at: number): number {
    const bytes = this.#bytes;
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }
}
