/**
 * `__tdx_hypercall()` as the fifth revision of the Linux patch had it, written anew from its description: arguments by value, results by
 * pointer, and UD2 where TDG.VP.VMCALL itself fails. Reviewers asked for a message there; later revisions call a function that panics.
 */
import { TdgLeaf } from '../../src/abi/index.ts';
import { type Assembler, mem64, r } from '../../src/isa/index.ts';
import { HYPERCALL_EXPOSED } from '../lib/registers.ts';

export const FIFTH_REVISION = '__tdx_hypercall';

/** R11 to R15, as the host answers. */
const RESULTS = [r.r11, r.r12, r.r13, r.r14, r.r15];
const CALLEE_SAVED = [r.r12, r.r13, r.r14, r.r15];

/*
 * u64 __tdx_hypercall(u64 fn, u64 r12, u64 r13, u64 r14, u64 r15, struct tdx_hypercall_output *out)
 *
 *   fn    sub-function   RDI   R11
 *   r12   operand        RSI   R12
 *   r13   operand        RDX   R13
 *   r14   operand        RCX   R14
 *   r15   operand        R8    R15
 *   out   may be NULL    R9    kept on the stack
 *
 * Returns R10, the status of the service.
 */
export function hypercallOfFifthRevision(a: Assembler): void {
  a.label(FIFTH_REVISION);
  for (const register of CALLEE_SAVED) a.push(register);
  a.push(r.r9);
  a.mov(r.r11, r.rdi);
  a.mov(r.r12, r.rsi);
  a.mov(r.r13, r.rdx);
  a.mov(r.r14, r.rcx);
  a.mov(r.r15, r.r8);
  a.xor(r.r10d, r.r10d);
  a.mov(r.eax, TdgLeaf.VP_VMCALL);
  a.mov(r.ecx, HYPERCALL_EXPOSED);
  a.tdcall();
  a.test(r.rax, r.rax);
  a.jz('reached-the-host');
  a.ud2();
  a.label('reached-the-host');
  a.mov(r.rax, r.r10);
  a.pop(r.r9);
  a.test(r.r9, r.r9);
  a.jz('no-output');
  for (const [index, register] of RESULTS.entries()) a.mov(mem64(r.r9, 8 * index), register);
  a.label('no-output');
  for (const register of [r.r10d, r.r11d]) a.xor(register, register);
  for (const register of CALLEE_SAVED.toReversed()) a.pop(register);
  a.ret();
}
