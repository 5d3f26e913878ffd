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
 *
 * Here are the instructions with a way of their own; those that come in families are rows of `mnemonics.ts`.
 */
import { type Register, r } from '../registers.ts';
import { demand } from './demand.ts';
import {
  addressOf,
  fitsSigned,
  type Immediate,
  immediateBytesOf,
  isLabel,
  isMemory,
  isRegister,
  type Memory,
  type ModrmOperand,
  sizeOf,
} from './operands.ts';
import { TabledInstructions } from './tabled-instructions.ts';

export class Assembler extends TabledInstructions {
  // ---- moves

  /** MOV between general registers, memory, immediates, control, debug and segment registers. */
  mov(to: ModrmOperand, from: ModrmOperand | Immediate): void {
    if (isRegister(to) && to.file !== 'gpr') this.#movToSystem(to, from);
    else if (isRegister(from) && from.file !== 'gpr') this.#movFromSystem(to, from);
    else if (isRegister(from)) this.sized(0x88, from, to, from.size);
    else if (isMemory(from)) {
      demand(isRegister(to), 'MOV has at most one memory operand');
      this.sized(0x8a, to, from, to.size);
    } else this.#movImmediate(to, from);
  }

  #movToSystem(to: Register, from: ModrmOperand | Immediate): void {
    if (to.file === 'segment') {
      this.op({ size: 0, opcode: 0x8e, reg: to, rm: from as ModrmOperand });
      return;
    }
    demand(isRegister(from) && from.file === 'gpr', `MOV ${to.name} takes a general register`);
    this.op({
      size: this.codeBits,
      opcode: to.file === 'control' ? 0x0f22 : 0x0f23,
      reg: to,
      rm: from,
      default64: true,
    });
  }

  #movFromSystem(to: ModrmOperand, from: Register): void {
    if (from.file === 'segment') {
      this.op({ size: isRegister(to) ? to.size : 0, opcode: 0x8c, reg: from, rm: to });
      return;
    }
    this.op({
      size: this.codeBits,
      opcode: from.file === 'control' ? 0x0f20 : 0x0f21,
      reg: from,
      rm: to,
      default64: true,
    });
  }

  #movImmediate(to: ModrmOperand, value: Immediate): void {
    const size = sizeOf(to);
    if (isRegister(to) && size < 64) {
      this.withRegister(size === 8 ? 0xb0 : 0xb8, to, size);
      this.immediate(value, size / 8);
    } else if (isRegister(to) && (isLabel(value) || !fitsSigned(value, 4))) this.movabs(to, value);
    else {
      const opcode = size === 8 ? 0xc6 : 0xc7;
      this.op({ size, opcode, reg: 0, rm: to, immediate: value, immediateBytes: immediateBytesOf(size) });
    }
  }

  /** MOV r64, imm64. */
  movabs(to: Register, value: Immediate): void {
    this.withRegister(0xb8, to, 64);
    this.immediate(value, 8);
  }

  movzx(to: Register, from: ModrmOperand): void {
    const fromSize = sizeOf(from);
    demand(fromSize === 8 || fromSize === 16, 'MOVZX widens 8 or 16 bits');
    this.op({ size: to.size, opcode: fromSize === 8 ? 0x0fb6 : 0x0fb7, reg: to, rm: from });
  }

  /** MOVSX, and MOVSXD for a 32-bit source. */
  movsx(to: Register, from: ModrmOperand): void {
    const fromSize = sizeOf(from);
    const opcode = fromSize === 32 ? 0x63 : fromSize === 8 ? 0x0fbe : 0x0fbf;
    this.op({ size: to.size, opcode, reg: to, rm: from });
  }

  lea(to: Register, from: Memory): void {
    this.op({ size: to.size, opcode: 0x8d, reg: to, rm: from });
  }

  xchg(a: ModrmOperand, b: Register): void {
    this.sized(0x86, b, a, b.size);
  }

  bswap(to: Register): void {
    this.withRegister(0x0fc8, to, to.size);
  }

  /** `condition` 0-15 as in Jcc. */
  setcc(condition: number, to: ModrmOperand): void {
    this.op({ size: 8, opcode: 0x0f90 + condition, reg: 0, rm: to });
  }

  cmovcc(condition: number, to: Register, from: ModrmOperand): void {
    this.op({ size: to.size, opcode: 0x0f40 + condition, reg: to, rm: from });
  }

  // ---- arithmetic and logic

  test(a: ModrmOperand, b: Register | Immediate): void {
    if (isRegister(b)) {
      this.sized(0x84, b, a, b.size);
      return;
    }
    const size = sizeOf(a);
    const opcode = size === 8 ? 0xf6 : 0xf7;
    this.op({ size, opcode, reg: 0, rm: a, immediate: b, immediateBytes: immediateBytesOf(size) });
  }

  imul(to: Register, by: ModrmOperand): void {
    this.op({ size: to.size, opcode: 0x0faf, reg: to, rm: by });
  }

  // ---- stack

  push(what: ModrmOperand | Immediate): void {
    if (isRegister(what)) this.withRegister(0x50, what, what.size, what.size === this.codeBits);
    else if (isMemory(what)) this.#stackSized(0xff, 6, what);
    else {
      const short = !isLabel(what) && fitsSigned(what, 1);
      this.bytes(short ? 0x6a : 0x68);
      this.immediate(what, short ? 1 : 4);
    }
  }

  pop(to: ModrmOperand): void {
    if (isRegister(to)) this.withRegister(0x58, to, to.size, to.size === this.codeBits);
    else this.#stackSized(0x8f, 0, to);
  }

  /** What the stack and the instruction pointer take is as wide as the code. */
  #stackSized(opcode: number, digit: number, operand: ModrmOperand): void {
    this.op({ size: this.codeBits, opcode, reg: digit, rm: operand, default64: true });
  }

  // ---- control transfer; a string is a label, a number an address

  call(target: string | number | ModrmOperand): void {
    if (typeof target === 'object') {
      this.#stackSized(0xff, 2, target);
      return;
    }
    this.bytes(0xe8);
    this.relative(target, 4);
  }

  jmp(target: string | number | ModrmOperand): void {
    if (typeof target === 'object') this.#stackSized(0xff, 4, target);
    else this.branch(target, 0xeb, 0xe9);
  }

  /** JMP ptr16:32; 32-bit code only. */
  jmpFar(selector: number, target: string | number): void {
    demand(this.codeBits === 32, 'JMP ptr16:32 does not exist in 64-bit code');
    this.bytes(0xea);
    this.immediate(typeof target === 'string' ? addressOf(target) : target, 4);
    this.immediate(selector, 2);
  }

  /** LOOP rel8. */
  loop(target: string | number): void {
    this.bytes(0xe2);
    this.relative(target, 1);
  }

  int(vector: number): void {
    this.bytes(0xcd, vector);
  }

  // ---- system

  ltr(from: ModrmOperand): void {
    this.op({ size: 0, opcode: 0x0f00, reg: 3, rm: from });
  }

  rdrand(to: Register): void {
    this.op({ size: to.size, opcode: 0x0fc7, reg: 6, rm: to });
  }

  /** IN AL/AX/EAX, from a port number (0-255) or DX. */
  in(to: Register, port: number | Register): void {
    this.#port(0xe4, to, port);
  }

  /** OUT to a port number (0-255) or DX, from AL/AX/EAX. */
  out(port: number | Register, from: Register): void {
    this.#port(0xe6, from, port);
  }

  #port(opcode: number, register: Register, port: number | Register): void {
    demand(register.number === 0 && register.size <= 32, 'port I/O uses AL, AX or EAX');
    if (register.size === 16) this.bytes(0x66);
    const wide = register.size === 8 ? 0 : 1;
    if (typeof port === 'number') {
      if (port > 0xff || port < 0) throw new Error(`port ${port} does not fit in 8 bits: use DX`);
      this.bytes(opcode + wide, port);
    } else {
      demand(port === r.dx, 'the port is a number or DX');
      this.bytes(opcode + 8 + wide);
    }
  }
}
