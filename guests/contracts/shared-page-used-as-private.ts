import { TdvmcallLeaf } from '../../src/abi/index.ts';
import { type Assembler, mem, r } from '../../src/isa/index.ts';
import { mapShared, SHARED_ALIAS, SHARED_BIT, vmcall } from '../cases/parts.ts';
import type { ContractTd } from './contract-guest.ts';

const PAGE_GPA = 0x40_0000;

function writes(a: Assembler, linear: number): void {
  mapShared(a);
  vmcall(a, TdvmcallLeaf.MAP_GPA, [BigInt(PAGE_GPA) | SHARED_BIT, 0x1000]);
  a.mov(r.ebx, linear);
  a.mov(mem(r.rbx), r.rax);
  a.hlt();
}

export const sharedPageUsedAsPrivate: ContractTd = {
  rule: 'shared-page-used-as-private',
  breaks: (a) => writes(a, PAGE_GPA),
  keeps: (a) => writes(a, SHARED_ALIAS + PAGE_GPA),
};
