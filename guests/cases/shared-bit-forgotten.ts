import { TdvmcallLeaf } from '../../src/abi/index.ts';
import { mem, r } from '../../src/isa/index.ts';
import type { CaseGuest } from './case-guest.ts';
import { SHARED_BIT, vmcall } from './parts.ts';

const PAGE_GPA = 0x40_0000;

export const sharedBitForgotten: CaseGuest = {
  name: 'shared-bit-forgotten',
  wrong: 'makes a page shared and goes on using it through its private mapping',
  program: (a) => {
    vmcall(a, TdvmcallLeaf.MAP_GPA, [BigInt(PAGE_GPA) | SHARED_BIT, 0x1000]);
    a.mov(r.ebx, PAGE_GPA);
    a.mov(mem(r.rbx), r.rax);
    a.hlt();
  },
};
