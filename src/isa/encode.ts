/**
 * A small assembler for the code we bring ourselves (the guest shim, bare TDs, tests). Typed methods, labels, two passes in one:
 * label references are patched by `assemble()`.
 *
 *   const a = new Assembler({ origin: 0xffff0000, mode: 32 });
 *   a.mov(r.eax, 5);
 *   a.label('again');
 *   a.dec(r.eax);
 *   a.jnz('again');
 *   a.lgdt(mem(r.ebx));               // memory operands: mem, mem8, mem16, mem32, mem64
 *   a.jmpFar(0x08, 'long');           // ptr16:32
 *   a.mode(64);
 *   a.label('long');
 *   a.lea(r.rsi, memAt('table'));     // RIP-relative in 64-bit code, absolute in 32-bit code
 *   a.mov(r.rdi, addressOf('table')); // the absolute address as an immediate
 *   a.tdcall();
 *   a.align(8);
 *   a.label('table');
 *   a.u64(1n, addressOf('again'));
 *   const { bytes, symbols } = a.assemble();
 *
 * Backward branches take the short form when it reaches, forward branches the near form. A mistake (unknown label, immediate
 * that does not fit, 64-bit register in 32-bit code) throws an Error with one sentence.
 */
import { type Register, r } from './registers.ts';

/** The address of a label, as an immediate or as data. */
export interface LabelAddress {
  readonly label: string;
  readonly addend: number;
}

export type Immediate = number | bigint | LabelAddress;

export interface Memory {
  /** bits of the operand, 0 where the instruction or the register says it */
  readonly size: number;
  readonly base: Register | null;
  readonly index: Register | null;
  readonly scale: 1 | 2 | 4 | 8;
  readonly displacement: number;
  /** label whose address is added: RIP-relative in 64-bit code */
  readonly label: string | null;
  readonly segment: Register | null;
}

export interface MemoryParts {
  readonly index?: Register;
  readonly scale?: 1 | 2 | 4 | 8;
  readonly segment?: Register;
}

function memory(size: number, base: Register | null, displacement: number, parts: MemoryParts): Memory {
  const { index = null, scale = 1, segment = null } = parts;
  return { size, base, index, scale, displacement, label: null, segment };
}

/** `[base + index * scale + displacement]` without a size: the other operand has it. `null` base: absolute (sign-extended 32 bits). */
export const mem = (base: Register | null, displacement = 0, parts: MemoryParts = {}) =>
  memory(0, base, displacement, parts);
export const mem8 = (base: Register | null, displacement = 0, parts: MemoryParts = {}) =>
  memory(8, base, displacement, parts);
export const mem16 = (base: Register | null, displacement = 0, parts: MemoryParts = {}) =>
  memory(16, base, displacement, parts);
export const mem32 = (base: Register | null, displacement = 0, parts: MemoryParts = {}) =>
  memory(32, base, displacement, parts);
export const mem64 = (base: Register | null, displacement = 0, parts: MemoryParts = {}) =>
  memory(64, base, displacement, parts);

/** Memory at a label: RIP-relative in 64-bit code, absolute in 32-bit code. `size` in bits, 0 if the other operand has it. */
export function memAt(label: string, displacement = 0, size = 0): Memory {
  return { size, base: null, index: null, scale: 1, displacement, label, segment: null };
}

/** The address of a label plus `addend`, as an immediate or as data. */
export function addressOf(label: string, addend = 0): LabelAddress {
  return { label, addend };
}

/** What `assemble()` returns. */
export interface Assembled {
  /** address of `bytes[0]` */
  readonly origin: number;
  readonly bytes: Uint8Array;
  /** labels and their addresses, in order of definition */
  readonly symbols: ReadonlyMap<string, number>;
}

export interface AssemblerOptions {
  /** address of the first byte, an integer below 2^53 (default 0) */
  readonly origin?: number;
  /** width of the code (default 64) */
  readonly mode?: 32 | 64;
}

interface Fixup {
  readonly at: number;
  readonly bytes: number;
  readonly label: string;
  readonly addend: number;
  /** relative to this offset (the end of the instruction), or -1: absolute */
  relativeTo: number;
}

interface Encoding {
  /** operand size in bits: gives 66 and REX.W */
  readonly size: number;
  readonly opcode: readonly number[];
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

/** Stops with one sentence when the caller asks for something that cannot be encoded. */
function demand(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new Error(sentence);
}

type ModrmOperand = Register | Memory;

const isRegister = (operand: unknown): operand is Register =>
  typeof operand === 'object' && operand !== null && 'file' in operand;
const isMemory = (operand: unknown): operand is Memory =>
  typeof operand === 'object' && operand !== null && 'displacement' in operand;
const isLabel = (operand: Immediate): operand is LabelAddress => typeof operand === 'object';

const low8 = (register: Register) => register.size === 8 && register.number >= 16;
/** The three or four bits of a register in an encoding; AH, CH, DH, BH are 4-7. */
const code = (register: Register) => (low8(register) ? register.number - 12 : register.number);
const needsRex = (register: Register) =>
  register.file === 'gpr' && register.size === 8 && register.number >= 4 && register.number < 8;

function fitsSigned(value: number | bigint, bytes: number): boolean {
  const bits = BigInt(bytes * 8);
  return BigInt.asIntN(Number(bits), BigInt(value)) === BigInt(value);
}

const SEGMENT_PREFIX = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];

/** What has been assembled. A ROM is mostly fill and tables, so these come in one piece. */
class CodeBytes {
  length = 0;
  #data = new Uint8Array(4096);

  #room(more: number): void {
    const needed = this.length + more;
    if (needed <= this.#data.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#data.length, needed));
    grown.set(this.#data);
    this.#data = grown;
  }

  push(...values: readonly number[]): void {
    this.append(values);
  }

  append(bytes: ArrayLike<number>): void {
    this.#room(bytes.length);
    this.#data.set(bytes, this.length);
    this.length += bytes.length;
  }

  fill(count: number, value: number): void {
    this.#room(count);
    this.#data.fill(value, this.length, this.length + count);
    this.length += count;
  }

  copy(): Uint8Array {
    return this.#data.slice(0, this.length);
  }
}

export class Assembler {
  readonly origin: number;
  #mode: 32 | 64;
  readonly #code = new CodeBytes();
  #labels = new Map<string, number>();
  #fixups: Fixup[] = [];

  constructor({ origin = 0, mode = 64 }: AssemblerOptions = {}) {
    this.origin = origin;
    this.#mode = mode;
  }

  // ---- layout

  /** Code that follows is for a 32- or 64-bit code segment. */
  mode(bits: 32 | 64): void {
    this.#mode = bits;
  }

  /** Offset of the next byte from the origin. */
  get offset(): number {
    return this.#code.length;
  }

  /** Address of the next byte. */
  get here(): number {
    return this.origin + this.#code.length;
  }

  label(name: string): void {
    demand(!this.#labels.has(name), `label "${name}" is defined twice`);
    this.#labels.set(name, this.#code.length);
  }

  /** Pads with `fill` (default NOP) up to a multiple of `boundary` of the address. */
  align(boundary: number, fill = 0x90): void {
    const over = this.here % boundary;
    if (over !== 0) this.#code.fill(boundary - over, fill);
  }

  /** Pads with `fill` (default 0) up to an offset from the origin. */
  padTo(offset: number, fill = 0): void {
    if (this.offset > offset) throw new Error(`cannot pad to offset ${offset}: already at ${this.offset}`);
    this.#code.fill(offset - this.offset, fill);
  }

  // ---- data

  bytes(...parts: (number | ArrayLike<number>)[]): void {
    for (const part of parts) {
      if (typeof part === 'number') this.#code.push(part);
      else this.#code.append(part);
    }
  }

  u8(...values: Immediate[]): void {
    for (const value of values) this.#immediate(value, 1);
  }

  u16(...values: Immediate[]): void {
    for (const value of values) this.#immediate(value, 2);
  }

  u32(...values: Immediate[]): void {
    for (const value of values) this.#immediate(value, 4);
  }

  u64(...values: Immediate[]): void {
    for (const value of values) this.#immediate(value, 8);
  }

  /** UTF-8 text with a final zero byte. */
  asciz(text: string): void {
    this.bytes(new TextEncoder().encode(text), 0);
  }

  // ---- moves

  /** MOV between general registers, memory, immediates, control, debug and segment registers. */
  mov(to: ModrmOperand, from: ModrmOperand | Immediate): void {
    if (isRegister(to) && to.file !== 'gpr') {
      if (to.file === 'segment') {
        this.#op({ size: 0, opcode: [0x8e], reg: to, rm: from as ModrmOperand });
        return;
      }
      demand(isRegister(from) && from.file === 'gpr', `MOV ${to.name} takes a general register`);
      const opcode = [0x0f, to.file === 'control' ? 0x22 : 0x23];
      this.#op({ size: this.#mode, opcode, reg: to, rm: from, default64: true });
      return;
    }
    if (isRegister(from) && from.file !== 'gpr') {
      if (from.file === 'segment') {
        const size = isRegister(to) ? to.size : 0;
        this.#op({ size, opcode: [0x8c], reg: from, rm: to });
        return;
      }
      this.#op({
        size: this.#mode,
        opcode: [0x0f, from.file === 'control' ? 0x20 : 0x21],
        reg: from,
        rm: to,
        default64: true,
      });
      return;
    }
    if (isRegister(from)) {
      this.#sized(0x88, from, to, from.size);
      return;
    }
    if (isMemory(from)) {
      demand(isRegister(to), 'MOV has at most one memory operand');
      this.#sized(0x8a, to, from, to.size);
      return;
    }
    const size = this.#sizeOf(to);
    if (isRegister(to) && size < 64) {
      this.#prefixes(size, 0, null, to, false);
      this.#code.push((size === 8 ? 0xb0 : 0xb8) + (code(to) & 7));
      this.#immediate(from, size / 8);
      return;
    }
    if (isRegister(to) && (isLabel(from) || !fitsSigned(from, 4))) {
      this.movabs(to, from);
      return;
    }
    this.#op({
      size,
      opcode: [size === 8 ? 0xc6 : 0xc7],
      reg: 0,
      rm: to,
      immediate: from,
      immediateBytes: Math.min(size / 8, 4),
    });
  }

  /** MOV r64, imm64. */
  movabs(to: Register, value: Immediate): void {
    this.#prefixes(64, 0, null, to, false);
    this.#code.push(0xb8 + (to.number & 7));
    this.#immediate(value, 8);
  }

  movzx(to: Register, from: ModrmOperand): void {
    const fromSize = this.#sizeOf(from);
    demand(fromSize === 8 || fromSize === 16, 'MOVZX widens 8 or 16 bits');
    this.#op({ size: to.size, opcode: [0x0f, fromSize === 8 ? 0xb6 : 0xb7], reg: to, rm: from });
  }

  /** MOVSX, and MOVSXD for a 32-bit source. */
  movsx(to: Register, from: ModrmOperand): void {
    const fromSize = this.#sizeOf(from);
    const opcode = fromSize === 32 ? [0x63] : [0x0f, fromSize === 8 ? 0xbe : 0xbf];
    this.#op({ size: to.size, opcode, reg: to, rm: from });
  }

  lea(to: Register, from: Memory): void {
    this.#op({ size: to.size, opcode: [0x8d], reg: to, rm: from });
  }

  xchg(a: ModrmOperand, b: Register): void {
    this.#sized(0x86, b, a, b.size);
  }

  bswap(to: Register): void {
    this.#prefixes(to.size, 0, null, to, false);
    this.#code.push(0x0f, 0xc8 + (to.number & 7));
  }

  /** `condition` 0-15 as in Jcc. */
  setcc(condition: number, to: ModrmOperand): void {
    this.#op({ size: 8, opcode: [0x0f, 0x90 + condition], reg: 0, rm: to });
  }

  cmovcc(condition: number, to: Register, from: ModrmOperand): void {
    this.#op({ size: to.size, opcode: [0x0f, 0x40 + condition], reg: to, rm: from });
  }

  // ---- arithmetic and logic

  add(to: ModrmOperand, from: ModrmOperand | Immediate): void {
    this.#alu(0, to, from);
  }

  or(to: ModrmOperand, from: ModrmOperand | Immediate): void {
    this.#alu(1, to, from);
  }

  adc(to: ModrmOperand, from: ModrmOperand | Immediate): void {
    this.#alu(2, to, from);
  }

  sbb(to: ModrmOperand, from: ModrmOperand | Immediate): void {
    this.#alu(3, to, from);
  }

  and(to: ModrmOperand, from: ModrmOperand | Immediate): void {
    this.#alu(4, to, from);
  }

  sub(to: ModrmOperand, from: ModrmOperand | Immediate): void {
    this.#alu(5, to, from);
  }

  xor(to: ModrmOperand, from: ModrmOperand | Immediate): void {
    this.#alu(6, to, from);
  }

  cmp(to: ModrmOperand, from: ModrmOperand | Immediate): void {
    this.#alu(7, to, from);
  }

  test(a: ModrmOperand, b: Register | Immediate): void {
    if (isRegister(b)) {
      this.#sized(0x84, b, a, b.size);
      return;
    }
    const size = this.#sizeOf(a);
    const immediateBytes = Math.min(size / 8, 4);
    this.#op({ size, opcode: [size === 8 ? 0xf6 : 0xf7], reg: 0, rm: a, immediate: b, immediateBytes });
  }

  rol(to: ModrmOperand, count: number | Register): void {
    this.#shift(0, to, count);
  }

  ror(to: ModrmOperand, count: number | Register): void {
    this.#shift(1, to, count);
  }

  shl(to: ModrmOperand, count: number | Register): void {
    this.#shift(4, to, count);
  }

  shr(to: ModrmOperand, count: number | Register): void {
    this.#shift(5, to, count);
  }

  sar(to: ModrmOperand, count: number | Register): void {
    this.#shift(7, to, count);
  }

  inc(to: ModrmOperand): void {
    this.#sized(0xfe, 0, to, this.#sizeOf(to));
  }

  dec(to: ModrmOperand): void {
    this.#sized(0xfe, 1, to, this.#sizeOf(to));
  }

  not(to: ModrmOperand): void {
    this.#sized(0xf6, 2, to, this.#sizeOf(to));
  }

  neg(to: ModrmOperand): void {
    this.#sized(0xf6, 3, to, this.#sizeOf(to));
  }

  mul(by: ModrmOperand): void {
    this.#sized(0xf6, 4, by, this.#sizeOf(by));
  }

  imul(to: Register, by: ModrmOperand): void {
    this.#op({ size: to.size, opcode: [0x0f, 0xaf], reg: to, rm: by });
  }

  div(by: ModrmOperand): void {
    this.#sized(0xf6, 6, by, this.#sizeOf(by));
  }

  bt(bits: ModrmOperand, bit: number): void {
    this.#bitTest(4, bits, bit);
  }

  bts(bits: ModrmOperand, bit: number): void {
    this.#bitTest(5, bits, bit);
  }

  btr(bits: ModrmOperand, bit: number): void {
    this.#bitTest(6, bits, bit);
  }

  lockCmpxchg(to: Memory, from: Register): void {
    this.#sized(0xb0, from, to, from.size, 0xf0, true);
  }

  lockXadd(to: Memory, from: Register): void {
    this.#sized(0xc0, from, to, from.size, 0xf0, true);
  }

  // ---- stack

  push(what: ModrmOperand | Immediate): void {
    if (isRegister(what)) {
      this.#prefixes(what.size, 0, null, what, what.size === this.#mode);
      this.#code.push(0x50 + (what.number & 7));
    } else if (isMemory(what)) {
      this.#op({ size: this.#mode, opcode: [0xff], reg: 6, rm: what, default64: true });
    } else {
      const short = !isLabel(what) && fitsSigned(what, 1);
      this.#code.push(short ? 0x6a : 0x68);
      this.#immediate(what, short ? 1 : 4);
    }
  }

  pop(to: ModrmOperand): void {
    if (isRegister(to)) {
      this.#prefixes(to.size, 0, null, to, to.size === this.#mode);
      this.#code.push(0x58 + (to.number & 7));
    } else {
      this.#op({ size: this.#mode, opcode: [0x8f], reg: 0, rm: to, default64: true });
    }
  }

  /** PUSHFD or PUSHFQ, by mode. */
  pushf(): void {
    this.bytes(0x9c);
  }

  /** POPFD or POPFQ, by mode. */
  popf(): void {
    this.bytes(0x9d);
  }

  // ---- control transfer; a string is a label, a number an address

  call(target: string | number | ModrmOperand): void {
    if (typeof target === 'object') {
      this.#op({ size: this.#mode, opcode: [0xff], reg: 2, rm: target, default64: true });
      return;
    }
    this.#code.push(0xe8);
    this.#relative(target, 4);
  }

  jmp(target: string | number | ModrmOperand): void {
    if (typeof target === 'object') {
      this.#op({ size: this.#mode, opcode: [0xff], reg: 4, rm: target, default64: true });
      return;
    }
    this.#branch(target, [0xeb], [0xe9]);
  }

  /** JMP ptr16:32; 32-bit code only. */
  jmpFar(selector: number, target: string | number): void {
    demand(this.#mode === 32, 'JMP ptr16:32 does not exist in 64-bit code');
    this.#code.push(0xea);
    this.#immediate(typeof target === 'string' ? addressOf(target) : target, 4);
    this.#immediate(selector, 2);
  }

  /** `condition` 0-15: O NO B AE E NE BE A S NS P NP L GE LE G. */
  jcc(condition: number, target: string | number): void {
    this.#branch(target, [0x70 + condition], [0x0f, 0x80 + condition]);
  }

  jo(target: string | number): void {
    this.jcc(0, target);
  }

  jno(target: string | number): void {
    this.jcc(1, target);
  }

  jb(target: string | number): void {
    this.jcc(2, target);
  }

  jc(target: string | number): void {
    this.jcc(2, target);
  }

  jae(target: string | number): void {
    this.jcc(3, target);
  }

  jnc(target: string | number): void {
    this.jcc(3, target);
  }

  je(target: string | number): void {
    this.jcc(4, target);
  }

  jz(target: string | number): void {
    this.jcc(4, target);
  }

  jne(target: string | number): void {
    this.jcc(5, target);
  }

  jnz(target: string | number): void {
    this.jcc(5, target);
  }

  jbe(target: string | number): void {
    this.jcc(6, target);
  }

  ja(target: string | number): void {
    this.jcc(7, target);
  }

  js(target: string | number): void {
    this.jcc(8, target);
  }

  jns(target: string | number): void {
    this.jcc(9, target);
  }

  jl(target: string | number): void {
    this.jcc(12, target);
  }

  jge(target: string | number): void {
    this.jcc(13, target);
  }

  jle(target: string | number): void {
    this.jcc(14, target);
  }

  jg(target: string | number): void {
    this.jcc(15, target);
  }

  /** LOOP rel8. */
  loop(target: string | number): void {
    this.#code.push(0xe2);
    this.#relative(target, 1);
  }

  ret(): void {
    this.bytes(0xc3);
  }

  int(vector: number): void {
    this.bytes(0xcd, vector);
  }

  int3(): void {
    this.bytes(0xcc);
  }

  ud2(): void {
    this.bytes(0x0f, 0x0b);
  }

  iretq(): void {
    this.bytes(0x48, 0xcf);
  }

  syscall(): void {
    this.bytes(0x0f, 0x05);
  }

  endbr64(): void {
    this.bytes(0xf3, 0x0f, 0x1e, 0xfa);
  }

  // ---- strings

  cld(): void {
    this.bytes(0xfc);
  }

  repMovsb(): void {
    this.bytes(0xf3, 0xa4);
  }

  repMovsd(): void {
    this.bytes(0xf3, 0xa5);
  }

  repMovsq(): void {
    this.bytes(0xf3, 0x48, 0xa5);
  }

  repStosb(): void {
    this.bytes(0xf3, 0xaa);
  }

  repStosd(): void {
    this.bytes(0xf3, 0xab);
  }

  repStosq(): void {
    this.bytes(0xf3, 0x48, 0xab);
  }

  lodsb(): void {
    this.bytes(0xac);
  }

  stosb(): void {
    this.bytes(0xaa);
  }

  // ---- system

  lgdt(from: Memory): void {
    this.#op({ size: 0, opcode: [0x0f, 0x01], reg: 2, rm: from });
  }

  lidt(from: Memory): void {
    this.#op({ size: 0, opcode: [0x0f, 0x01], reg: 3, rm: from });
  }

  ltr(from: ModrmOperand): void {
    this.#op({ size: 0, opcode: [0x0f, 0x00], reg: 3, rm: from });
  }

  invlpg(at: Memory): void {
    this.#op({ size: 0, opcode: [0x0f, 0x01], reg: 7, rm: at });
  }

  /** IN AL/AX/EAX, from a port number (0-255) or DX. */
  in(to: Register, port: number | Register): void {
    this.#port(0xe4, to, port);
  }

  /** OUT to a port number (0-255) or DX, from AL/AX/EAX. */
  out(port: number | Register, from: Register): void {
    this.#port(0xe6, from, port);
  }

  cli(): void {
    this.bytes(0xfa);
  }

  sti(): void {
    this.bytes(0xfb);
  }

  hlt(): void {
    this.bytes(0xf4);
  }

  nop(): void {
    this.bytes(0x90);
  }

  pause(): void {
    this.bytes(0xf3, 0x90);
  }

  cpuid(): void {
    this.bytes(0x0f, 0xa2);
  }

  rdtsc(): void {
    this.bytes(0x0f, 0x31);
  }

  rdmsr(): void {
    this.bytes(0x0f, 0x32);
  }

  wrmsr(): void {
    this.bytes(0x0f, 0x30);
  }

  rdrand(to: Register): void {
    this.#op({ size: to.size, opcode: [0x0f, 0xc7], reg: 6, rm: to });
  }

  swapgs(): void {
    this.bytes(0x0f, 0x01, 0xf8);
  }

  mfence(): void {
    this.bytes(0x0f, 0xae, 0xf0);
  }

  wbinvd(): void {
    this.bytes(0x0f, 0x09);
  }

  /** The one instruction of a TD that leaves its world. */
  tdcall(): void {
    this.bytes(0x66, 0x0f, 0x01, 0xcc);
  }

  seamcall(): void {
    this.bytes(0x66, 0x0f, 0x01, 0xcf);
  }

  vmcall(): void {
    this.bytes(0x0f, 0x01, 0xc1);
  }

  // ---- result

  /** Patches label references; the assembler can go on and be assembled again. */
  assemble(): Assembled {
    const bytes = this.#code.copy();
    for (const { at, bytes: width, label, addend, relativeTo } of this.#fixups) {
      const offset = this.#labels.get(label);
      if (offset === undefined) throw new Error(`label "${label}" is not defined`);
      const value = relativeTo < 0 ? this.origin + offset + addend : offset + addend - relativeTo;
      const fits = relativeTo >= 0 ? fitsSigned(value, width) : value < 2 ** (8 * width);
      if (!fits) throw new Error(`label "${label}" does not fit in ${width * 8} bits`);
      let rest = BigInt(value);
      for (let i = 0; i < width; i += 1) {
        bytes[at + i] = Number(rest & 0xffn);
        rest >>= 8n;
      }
    }
    const symbols = new Map([...this.#labels].map(([name, offset]) => [name, this.origin + offset]));
    return { origin: this.origin, bytes, symbols };
  }

  // ---- encoding

  #sizeOf(operand: ModrmOperand): number {
    if (operand.size === 0) throw new Error('the size of a memory operand is missing: use mem8, mem16, mem32 or mem64');
    return operand.size;
  }

  /** Opcode pairs whose low bit says "not 8 bits". */
  #sized(opcode: number, reg: Register | number, rm: ModrmOperand, size: number, prefix = 0, twoByte = false): void {
    if (isRegister(rm) && rm.size !== size) throw new Error(`operand ${rm.name} is not ${size} bits wide`);
    const byte = size === 8 ? opcode : opcode + 1;
    this.#op({ size, opcode: twoByte ? [0x0f, byte] : [byte], reg, rm, prefix });
  }

  #alu(digit: number, to: ModrmOperand, from: ModrmOperand | Immediate): void {
    if (isRegister(from)) {
      this.#sized(digit * 8, from, to, from.size);
      return;
    }
    if (isMemory(from)) {
      demand(isRegister(to), 'at most one operand is memory');
      this.#sized(digit * 8 + 2, to, from, to.size);
      return;
    }
    const size = this.#sizeOf(to);
    const short = size > 8 && !isLabel(from) && fitsSigned(from, 1);
    const immediateBytes = short ? 1 : Math.min(size / 8, 4);
    this.#op({
      size,
      opcode: [size === 8 ? 0x80 : short ? 0x83 : 0x81],
      reg: digit,
      rm: to,
      immediate: from,
      immediateBytes,
    });
  }

  #shift(digit: number, to: ModrmOperand, count: number | Register): void {
    const size = this.#sizeOf(to);
    if (typeof count !== 'number') {
      demand(count === r.cl, 'a shift count is a number or CL');
      this.#sized(0xd2, digit, to, size);
      return;
    }
    this.#op({ size, opcode: [size === 8 ? 0xc0 : 0xc1], reg: digit, rm: to, immediate: count, immediateBytes: 1 });
  }

  #bitTest(digit: number, bits: ModrmOperand, bit: number): void {
    this.#op({
      size: this.#sizeOf(bits),
      opcode: [0x0f, 0xba],
      reg: digit,
      rm: bits,
      immediate: bit,
      immediateBytes: 1,
    });
  }

  #port(opcode: number, register: Register, port: number | Register): void {
    demand(register.number === 0 && register.size <= 32, 'port I/O uses AL, AX or EAX');
    if (register.size === 16) this.#code.push(0x66);
    const wide = register.size === 8 ? 0 : 1;
    if (typeof port === 'number') {
      if (port > 0xff || port < 0) throw new Error(`port ${port} does not fit in 8 bits: use DX`);
      this.#code.push(opcode + wide, port);
    } else {
      demand(port === r.dx, 'the port is a number or DX');
      this.#code.push(opcode + 8 + wide);
    }
  }

  #branch(target: string | number, short: readonly number[], near: readonly number[]): void {
    const known = typeof target === 'number' ? target - this.origin : this.#labels.get(target);
    if (known !== undefined && fitsSigned(known - (this.offset + short.length + 1), 1)) {
      this.#code.push(...short);
      this.#relative(target, 1);
    } else {
      this.#code.push(...near);
      this.#relative(target, 4);
    }
  }

  #relative(target: string | number, bytes: number): void {
    const end = this.offset + bytes;
    if (typeof target === 'number') {
      this.#immediate(target - (this.origin + end), bytes);
      return;
    }
    this.#fixups.push({ at: this.offset, bytes, label: target, addend: 0, relativeTo: end });
    this.#code.fill(bytes, 0);
  }

  #immediate(value: Immediate, bytes: number): void {
    if (isLabel(value)) {
      this.#fixups.push({ at: this.offset, bytes, label: value.label, addend: value.addend, relativeTo: -1 });
      this.#code.fill(bytes, 0);
      return;
    }
    let rest = BigInt(value);
    const bits = bytes * 8;
    if (BigInt.asUintN(bits, rest) !== rest && BigInt.asIntN(bits, rest) !== rest) {
      throw new Error(`${value} does not fit in ${bits} bits`);
    }
    for (let i = 0; i < bytes; i += 1) {
      this.#code.push(Number(rest & 0xffn));
      rest >>= 8n;
    }
  }

  /** Segment, 66 and REX prefixes for an instruction with these operands. */
  #prefixes(size: number, prefix: number, reg: Register | null, rm: ModrmOperand, default64: boolean): void {
    const memoryOperand = isMemory(rm) ? rm : null;
    const registers = [reg, memoryOperand ? memoryOperand.base : rm, memoryOperand?.index ?? null].filter(isRegister);
    if (memoryOperand?.segment) this.#code.push(SEGMENT_PREFIX[memoryOperand.segment.number] ?? 0);
    const addressRegister = memoryOperand?.base ?? memoryOperand?.index;
    if (addressRegister && addressRegister.size !== this.#mode) {
      demand(this.#mode === 64 && addressRegister.size === 32, `${addressRegister.name} cannot address memory here`);
      this.#code.push(0x67);
    }
    if (prefix !== 0) this.#code.push(prefix);
    if (size === 16) this.#code.push(0x66);
    const extension = (register: Register | null | undefined, bit: number) =>
      register && code(register) > 7 && !low8(register) ? bit : 0;
    const rex =
      (size === 64 && !default64 ? 8 : 0) |
      extension(reg, 4) |
      extension(memoryOperand?.index, 2) |
      extension(memoryOperand ? memoryOperand.base : (rm as Register), 1);
    if (rex === 0 && !registers.some(needsRex)) return;
    if (this.#mode === 32)
      throw new Error(`${registers.map((one) => one.name).join(', ')}: 64-bit operands in 32-bit code`);
    if (registers.some(low8)) throw new Error('AH, CH, DH and BH cannot be used with a REX prefix');
    this.#code.push(0x40 | rex);
  }

  #op({ size, opcode, reg, rm, immediate, immediateBytes = 0, prefix = 0, default64 = false }: Encoding): void {
    this.#prefixes(size, prefix, isRegister(reg) ? reg : null, rm, default64);
    this.#code.push(...opcode);
    const digit = (isRegister(reg) ? code(reg) : reg) & 7;
    const fixup = isMemory(rm) ? this.#memory(digit, rm) : null;
    if (isRegister(rm)) this.#code.push(0xc0 | (digit << 3) | (code(rm) & 7));
    if (immediate !== undefined) {
      const value = !isLabel(immediate) && size === 64 ? BigInt.asIntN(64, BigInt(immediate)) : immediate;
      if (size === 64 && !isLabel(value) && !fitsSigned(value, immediateBytes) && immediateBytes === 4) {
        throw new Error(`${immediate} does not fit in a sign-extended 32-bit immediate`);
      }
      this.#immediate(value, immediateBytes);
    }
    if (fixup) fixup.relativeTo = this.offset;
  }

  /** ModRM, SIB, displacement; returns the fixup of a RIP-relative label, which needs the end of the instruction. */
  #memory(digit: number, { base, index, scale, displacement, label }: Memory): Fixup | null {
    const reg = digit << 3;
    if (label !== null) {
      this.#code.push(0x05 | reg);
      const fixup = { at: this.offset, bytes: 4, label, addend: displacement, relativeTo: -1 };
      this.#fixups.push(fixup);
      this.#code.push(0, 0, 0, 0);
      return this.#mode === 64 ? fixup : null;
    }
    const scaleBits = Math.log2(scale) << 6;
    demand(index?.number !== 4, 'RSP cannot be an index');
    if (base === null) {
      const sibNeeded = this.#mode === 64 || index !== null;
      this.#code.push((sibNeeded ? 0x04 : 0x05) | reg);
      if (sibNeeded) this.#code.push(scaleBits | ((index ? index.number & 7 : 4) << 3) | 5);
      this.#immediate(displacement, 4);
      return null;
    }
    const low = base.number & 7;
    const displacementBytes = displacement === 0 && low !== 5 ? 0 : fitsSigned(displacement, 1) ? 1 : 4;
    const mod = displacementBytes === 0 ? 0 : displacementBytes === 1 ? 0x40 : 0x80;
    const sibNeeded = index !== null || low === 4;
    this.#code.push(mod | reg | (sibNeeded ? 4 : low));
    if (sibNeeded) this.#code.push(scaleBits | ((index ? index.number & 7 : 4) << 3) | low);
    if (displacementBytes > 0) this.#immediate(displacement, displacementBytes);
    return null;
  }
}
