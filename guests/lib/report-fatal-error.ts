/** The guest's last word: TDVMCALL ReportFatalError with a message in registers. */
import { TdgLeaf, TdvmcallLeaf } from '../../src/abi/index.ts';
import { type Assembler, memAt, r } from '../../src/isa/index.ts';
import { Expose } from './registers.ts';

/** Registers that carry the text, eight bytes each, in the order in which Linux fills them and hosts read them. */
const MESSAGE_REGISTERS = [r.r14, r.r15, r.rbx, r.rdi, r.rsi, r.r8, r.r9, r.rdx] as const;
export const MESSAGE_BYTES = 8 * MESSAGE_REGISTERS.length;

const EXPOSED =
  Expose.RDX |
  Expose.RBX |
  Expose.RSI |
  Expose.RDI |
  Expose.R8 |
  Expose.R9 |
  Expose.R10 |
  Expose.R11 |
  Expose.R12 |
  Expose.R13 |
  Expose.R14 |
  Expose.R15;

/**
 * Emits code that reports `message` (at most 64 bytes of ASCII) and never goes on: a host that lets the call return is told again.
 * Needs no stack. Labels begin with `name`.
 * @param beforeReport emits code that runs once, after the registers are loaded; it may change the end of the text in RDX
 */
export function reportFatalError(a: Assembler, name: string, message: string, beforeReport = () => {}): void {
  const text = new TextEncoder().encode(message.padEnd(MESSAGE_BYTES, '\0'));
  if (text.length > MESSAGE_BYTES) throw new Error(`"${message}" is longer than ${MESSAGE_BYTES} bytes`);
  MESSAGE_REGISTERS.forEach((register, index) => {
    a.mov(register, memAt(`${name}-message`, 8 * index));
  });
  beforeReport();
  a.label(`${name}-report`);
  a.mov(r.eax, TdgLeaf.VP_VMCALL);
  a.mov(r.ecx, EXPOSED);
  a.xor(r.r10d, r.r10d); // the GHCI's own calls
  a.mov(r.r11d, TdvmcallLeaf.REPORT_FATAL_ERROR);
  a.xor(r.r12d, r.r12d); // no error code
  a.xor(r.r13d, r.r13d); // no message in shared memory
  a.tdcall();
  a.jmp(`${name}-report`);
  a.align(8, 0);
  a.label(`${name}-message`);
  a.bytes(text);
}
