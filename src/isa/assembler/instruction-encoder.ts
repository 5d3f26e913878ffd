/** The bytes of one instruction: prefixes, opcode, ModRM, SIB, displacement, immediate (SDM volume 2, "Instruction Format"). */
import type { Register } from '../registers.ts';
import { demand } from './demand.ts';
import { type Fixup, LabelledCode } from './labelled-code.ts';
import {
  fitsSigned,
  type Immediate,
  isLabel,
  isMemory,
  isRegister,
  type Memory,
  type ModrmOperand,
} from './operands.ts';

export interface AssemblerOptions {
  /** address of the first byte, an integer below 2^53 (default 0) */
  readonly origin?: number;
  /** width of the code (default 64) */
  readonly mode?: 32 | 64;
}

interface Encoding {
  /** operand size in bits: gives 66 and REX.W */
  readonly size: number;
  /** one byte, or 0F and one: 0x0fb6 */
  readonly opcode: number;
  /** ModRM.reg: a register or an opcode digit */
  readonly reg: Register | number;
  readonly rm: Register | Memory;
  readonly immediate?: Immediate;
  readonly immediateBytes?: number;
  /** F0, F2, F3 */
  readonly prefix?: number;
  /** the operand size is 64 bits without REX.W */
  readonly default64?: boolean;
}

const SEGMENT_PREFIX = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];

const isHighByte = (register: Register) => register.size === 8 && register.number >= 16;
/** The three or four bits of a register in an encoding; AH, CH, DH, BH are 4-7. */
const code = (register: Register) => (isHighByte(register) ? register.number - 12 : register.number);
const needsRex = (register: Register) =>
  register.file === 'gpr' && register.size === 8 && register.number >= 4 && register.number < 8;

/** `bit` of a REX prefix if the register needs it for its number. */
const extension = (register: Register | null, bit: number) =>
  register !== null && !isHighByte(register) && register.number > 7 ? bit : 0;

export class InstructionEncoder extends LabelledCode {
  /** width of the code */
  protected codeBits: 32 | 64;

  constructor({ origin = 0, mode = 64 }: AssemblerOptions = {}) {
    super(origin);
    this.codeBits = mode;
  }

  /** Code that follows is for a 32- or 64-bit code segment. */
  mode(bits: 32 | 64): void {
    this.codeBits = bits;
  }

  /** Segment, 66 and REX prefixes for an instruction with these operands. */
  #prefixes(size: number, prefix: number, reg: Register | null, rm: ModrmOperand, default64: boolean): void {
    const { base, index, segment } = isMemory(rm) ? rm : { base: rm, index: null, segment: null };
    const registers = [reg, base, index].filter(isRegister);
    if (segment !== null) this.code.push(SEGMENT_PREFIX[segment.number] ?? 0);
    const addressRegister = isMemory(rm) ? (base ?? index) : null;
    if (addressRegister !== null && addressRegister.size !== this.codeBits) {
      demand(this.codeBits === 64 && addressRegister.size === 32, `${addressRegister.name} cannot address memory here`);
      this.code.push(0x67);
    }
    if (prefix !== 0) this.code.push(prefix);
    if (size === 16) this.code.push(0x66);
    const rex = (size === 64 && !default64 ? 8 : 0) | extension(reg, 4) | extension(index, 2) | extension(base, 1);
    if (rex === 0 && !registers.some(needsRex)) return;
    if (this.codeBits === 32)
      throw new Error(`${registers.map((one) => one.name).join(', ')}: 64-bit operands in 32-bit code`);
    if (registers.some(isHighByte)) throw new Error('AH, CH, DH and BH cannot be used with a REX prefix');
    this.code.push(0x40 | rex);
  }

  /** @param opcode one byte, or 0F and one */
  #opcode(opcode: number): void {
    if (opcode > 0xff) this.code.push(opcode >> 8);
    this.code.push(opcode & 0xff);
  }

  /** An instruction whose opcode has a register in its low three bits. */
  protected withRegister(opcode: number, register: Register, size: number, default64 = false): void {
    this.#prefixes(size, 0, null, register, default64);
    this.#opcode(opcode + (code(register) & 7));
  }

  /** An instruction with ModRM. */
  protected op(encoding: Encoding): void {
    const { size, opcode, reg, rm, immediate, immediateBytes = 0, prefix = 0, default64 = false } = encoding;
    this.#prefixes(size, prefix, isRegister(reg) ? reg : null, rm, default64);
    this.#opcode(opcode);
    const digit = (isRegister(reg) ? code(reg) : reg) & 7;
    const fixup = isMemory(rm) ? this.#memory(digit, rm) : null;
    if (isRegister(rm)) this.code.push(0xc0 | (digit << 3) | (code(rm) & 7));
    if (immediate !== undefined) {
      const value = !isLabel(immediate) && size === 64 ? BigInt.asIntN(64, BigInt(immediate)) : immediate;
      if (size === 64 && !isLabel(value) && !fitsSigned(value, immediateBytes) && immediateBytes === 4) {
        throw new Error(`${immediate} does not fit in a sign-extended 32-bit immediate`);
      }
      this.immediate(value, immediateBytes);
    }
    if (fixup) fixup.relativeTo = this.offset;
  }

  /** The same for opcode pairs whose low bit says "not 8 bits". */
  protected sized(opcode: number, reg: Register | number, rm: ModrmOperand, size: number, prefix = 0): void {
    if (isRegister(rm) && rm.size !== size) throw new Error(`operand ${rm.name} is not ${size} bits wide`);
    this.op({ size, opcode: size === 8 ? opcode : opcode + 1, reg, rm, prefix });
  }

  /** A branch: `short` with one byte of displacement if the target is known and near, else `near` with four. */
  protected branch(target: string | number, short: number, near: number): void {
    const isShort = this.isNear(target, this.offset + 2);
    this.#opcode(isShort ? short : near);
    this.relative(target, isShort ? 1 : 4);
  }

  /** ModRM, SIB, displacement; returns the fixup of a RIP-relative label, which needs the end of the instruction. */
  #memory(digit: number, { base, index, scale, displacement, label }: Memory): Fixup | null {
    const reg = digit << 3;
    if (label !== null) {
      this.code.push(0x05 | reg);
      const fixup = this.reference(label, displacement, 4);
      return this.codeBits === 64 ? fixup : null;
    }
    const scaleBits = Math.log2(scale) << 6;
    demand(index?.number !== 4, 'RSP cannot be an index');
    if (base === null) {
      const sibNeeded = this.codeBits === 64 || index !== null;
      this.code.push((sibNeeded ? 0x04 : 0x05) | reg);
      if (sibNeeded) this.code.push(scaleBits | ((index ? index.number & 7 : 4) << 3) | 5);
      this.immediate(displacement, 4);
      return null;
    }
    const low = base.number & 7;
    const displacementBytes = displacement === 0 && low !== 5 ? 0 : fitsSigned(displacement, 1) ? 1 : 4;
    const mod = displacementBytes === 0 ? 0 : displacementBytes === 1 ? 0x40 : 0x80;
    const sibNeeded = index !== null || low === 4;
    this.code.push(mod | reg | (sibNeeded ? 4 : low));
    if (sibNeeded) this.code.push(scaleBits | ((index ? index.number & 7 : 4) << 3) | low);
    if (displacementBytes > 0) this.immediate(displacement, displacementBytes);
    return null;
  }
}
