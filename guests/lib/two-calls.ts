/**
 * The two calls of a TD, as functions by the System V ABI. There is one instruction, TDCALL; its leaf number in RAX decides who
 * answers. Leaves from 1 on are answered by the TDX module, which is measured and trusted. Leaf 0 (TDG.VP.VMCALL) makes
 * the module hand the exposed registers to the VMM, which is neither; what comes back is whatever the VMM wants it to be.
 */
import { TdgLeaf } from '../../src/abi/index.ts';
import { type Assembler, r } from '../../src/isa/index.ts';
import { loadAll, storeAll } from './register-structure.ts';
import { HYPERCALL_EXPOSED, HypercallFlag, HypercallRegisters, ModuleOutput } from './registers.ts';
import { reportFatalError } from './report-fatal-error.ts';

export const MODULE_CALL = '__tdx_module_call';
export const HYPERCALL = '__tdx_hypercall';
export const HYPERCALL_FAILED = '__tdx_hypercall_failed';

/** Emits all three functions. */
export function twoCalls(a: Assembler): void {
  moduleCall(a);
  hypercall(a);
  hypercallFailed(a);
}

/*
 * u64 __tdx_module_call(u64 leaf, u64 rcx, u64 rdx, u64 r8, u64 r9, struct module_output *out)
 *
 * Answered by the TDX module, leaf 1 and up; the VMM does not learn of it.
 *
 *            argument      register on entry     register at TDCALL
 *   leaf     leaf number   RDI                   RAX
 *   rcx      operand       RSI                   RCX
 *   rdx      operand       RDX                   RDX
 *   r8       operand       RCX                   R8
 *   r9       operand       R8                    R9
 *   out      may be NULL   R9                    kept on the stack
 *
 * Returns the completion status (RAX). RCX, RDX and R8 to R11 are stored in `out` if it is given, after a failure too, when
 * they may say more about it. No register that the ABI calls callee-saved is touched.
 */
function moduleCall(a: Assembler): void {
  a.align(16);
  a.label(MODULE_CALL);
  a.push(r.r9);
  a.mov(r.rax, r.rdi);
  a.mov(r.r9, r.r8); // each operand moves before its register is overwritten
  a.mov(r.r8, r.rcx);
  a.mov(r.rcx, r.rsi);
  a.tdcall();
  a.pop(r.rdi); // no leaf returns anything in RDI
  a.test(r.rdi, r.rdi);
  a.jz('module-call-done');
  storeAll(a, ModuleOutput, r.rdi);
  a.label('module-call-done');
  a.ret();
}

/*
 * u64 __tdx_hypercall(struct hypercall_registers *registers, u64 flags)
 *
 * Answered by the VMM, through leaf 0 of the same instruction. RCX is no operand here: it is the mask of registers that cross.
 * The module hides all others from the VMM and keeps them for us. R10 = 0 selects the calls of the GHCI, R11 names the
 * sub-function, R12 to R15 are its operands. All six are loaded from `registers`.
 *
 * Two statuses come back:
 *   RAX   of the mechanism, from the module. Anything but 0 means that the call never happened (a wrong mask, a broken
 *         module); nothing that was meant for the VMM reached it, and no caller could go on. Ends in
 *         __tdx_hypercall_failed, which does not return.
 *   R10   of the service, from the VMM. Daily life, the caller's business: returned in RAX.
 *
 * R10 to R15 are stored back only if HasOutput is set. After that every register that the VMM could have written is cleared,
 * the callee-saved ones before they are restored, so that no later instruction can be made to speculate with its values.
 */
function hypercall(a: Assembler): void {
  const calleeSaved = [r.r12, r.r13, r.r14, r.r15];
  a.align(16);
  a.label(HYPERCALL);
  for (const register of calleeSaved) a.push(register);
  loadAll(a, HypercallRegisters, r.rdi);
  a.mov(r.eax, TdgLeaf.VP_VMCALL);
  a.mov(r.ecx, HYPERCALL_EXPOSED);
  a.test(r.rsi, HypercallFlag.IssueSti);
  a.jz('call');
  a.sti(); // counts only after the next instruction: no interrupt fits between it and the call that waits for one
  a.label('call');
  a.tdcall();
  a.test(r.rax, r.rax);
  a.jnz('mechanism-failed');
  a.mov(r.rax, r.r10);
  a.test(r.rsi, HypercallFlag.HasOutput);
  a.jz('no-output');
  storeAll(a, HypercallRegisters, r.rdi);
  a.label('no-output');
  for (const register of [r.r10d, r.r11d, r.r12d, r.r13d, r.r14d, r.r15d]) a.xor(register, register);
  for (const register of calleeSaved.toReversed()) a.pop(register);
  a.ret();
  a.label('mechanism-failed');
  a.call(HYPERCALL_FAILED); // does not return, and would only come to itself again
}

/** Stops the TD: says why, as often as it is let. */
function hypercallFailed(a: Assembler): void {
  a.align(16);
  a.label(HYPERCALL_FAILED);
  reportFatalError(a, 'hypercall-failed', 'TDG.VP.VMCALL itself failed: wrong use, or a broken TDX module');
}
