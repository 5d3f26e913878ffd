import { TdgLeaf, TdvmcallLeaf } from '../../src/abi/index.ts';
import { type Assembler, r } from '../../src/isa/index.ts';
import { HYPERCALL_EXPOSED } from '../lib/registers.ts';
import type { ContractTd } from './contract-guest.ts';

function halts(a: Assembler, before: () => void): void {
  a.xor(r.r10d, r.r10d);
  a.mov(r.r11d, TdvmcallLeaf.INSTRUCTION_HLT);
  for (const register of [r.r12d, r.r13d, r.r14d, r.r15d]) a.xor(register, register);
  a.mov(r.ecx, HYPERCALL_EXPOSED);
  a.mov(r.eax, TdgLeaf.VP_VMCALL);
  before();
  a.tdcall();
}

export const hltInterruptRule: ContractTd = {
  rule: 'hlt-interrupt-rule',
  breaks: (a) =>
    halts(a, () => {
      a.sti();
      a.nop();
    }),
  keeps: (a) => halts(a, () => a.sti()),
};
