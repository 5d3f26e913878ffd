/**
 * u64 helper(struct hypercall_registers *registers): a hypercall in small that keeps every rule. Guests that break one replace a part.
 */
import { TdgLeaf } from '../../src/abi/index.ts';
import { type Assembler, r } from '../../src/isa/index.ts';
import { loadAll } from '../lib/register-structure.ts';
import { HYPERCALL_EXPOSED, HypercallRegisters } from '../lib/registers.ts';
import { reportFatalError } from '../lib/report-fatal-error.ts';

export const HELPER = 'helper';
/** What a part may go to: the registers are cleared and restored, RAX is returned. */
export const FINISH = 'finish';

export interface HelperParts {
  readonly begin: (a: Assembler) => void;
  /** RCX */
  readonly mask: number;
  /** directly after the TDCALL */
  readonly lookAtMechanism: (a: Assembler) => void;
  /** RAX = what is returned */
  readonly lookAtService: (a: Assembler) => void;
  readonly useResults: (a: Assembler) => void;
  readonly clear: (a: Assembler) => void;
  readonly restore: (a: Assembler) => void;
  /** where RAX was not 0 */
  readonly fail: (a: Assembler) => void;
}

const CALLEE_SAVED = [r.r12, r.r13, r.r14, r.r15];
const nothing = (): void => {};

/** Keeps every rule. */
export const USUAL: HelperParts = {
  begin: nothing,
  mask: HYPERCALL_EXPOSED,
  lookAtMechanism: (a) => {
    a.test(r.rax, r.rax);
    a.jnz('fail');
  },
  lookAtService: (a) => a.mov(r.rax, r.r10),
  useResults: nothing,
  clear: (a) => {
    for (const register of [r.r10d, r.r11d, r.r12d, r.r13d, r.r14d, r.r15d]) a.xor(register, register);
  },
  restore: (a) => {
    for (const register of CALLEE_SAVED.toReversed()) a.pop(register);
  },
  fail: (a) => a.call('stop'),
};

export function helper(a: Assembler, parts: Partial<HelperParts> = {}): void {
  const { begin, mask, lookAtMechanism, lookAtService, useResults, clear, restore, fail } = { ...USUAL, ...parts };
  a.label(HELPER);
  for (const register of CALLEE_SAVED) a.push(register);
  begin(a);
  loadAll(a, HypercallRegisters, r.rdi);
  a.mov(r.eax, TdgLeaf.VP_VMCALL);
  a.mov(r.ecx, mask);
  a.tdcall();
  lookAtMechanism(a);
  lookAtService(a);
  useResults(a);
  a.label(FINISH);
  clear(a);
  restore(a);
  a.ret();
  a.label('fail');
  fail(a);
  a.align(16);
  a.label('stop');
  reportFatalError(a, 'mechanism', 'TDG.VP.VMCALL failed');
}
