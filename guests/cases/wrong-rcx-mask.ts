import { Gpr, TdgLeaf, TdvmcallLeaf } from '../../src/abi/index.ts';
import { r } from '../../src/isa/index.ts';
import { HYPERCALL_EXPOSED } from '../lib/registers.ts';
import type { CaseGuest } from './case-guest.ts';

export const wrongRcxMask: CaseGuest = {
  name: 'wrong-rcx-mask',
  wrong: 'exposes RSP to the host, and stops when the module refuses',
  program: (a) => {
    a.xor(r.r10d, r.r10d);
    a.mov(r.r11d, TdvmcallLeaf.GET_TD_VM_CALL_INFO);
    a.xor(r.r12d, r.r12d);
    a.mov(r.ecx, HYPERCALL_EXPOSED | (1 << Gpr.RSP));
    a.mov(r.eax, TdgLeaf.VP_VMCALL);
    a.tdcall();
    a.test(r.rax, r.rax);
    a.jz('done');
    a.ud2();
    a.label('done');
    a.hlt();
  },
};
