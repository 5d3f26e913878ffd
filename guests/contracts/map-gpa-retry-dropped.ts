import { TdgLeaf, TdvmcallLeaf } from '../../src/abi/index.ts';
import { mem, r } from '../../src/isa/index.ts';
import { mapShared, SHARED_ALIAS, SHARED_BIT, vmcall } from '../cases/parts.ts';
import { HYPERCALL_EXPOSED } from '../lib/registers.ts';
import type { ContractTd } from './contract-guest.ts';

const RANGE_GPA = 0x40_0000;
const RANGE_BYTES = 0x4000;
const RETRY = 1;

export const mapGpaRetryDropped: ContractTd = {
  rule: 'map-gpa-retry-dropped',
  mapGpaChunkBytes: 0x1000,
  breaks: (a) => {
    vmcall(a, TdvmcallLeaf.MAP_GPA, [BigInt(RANGE_GPA) | SHARED_BIT, RANGE_BYTES]);
    a.hlt();
  },
  keeps: (a) => {
    mapShared(a);
    a.movabs(r.rbx, (BigInt(RANGE_GPA) | SHARED_BIT) + BigInt(RANGE_BYTES)); // the end
    a.movabs(r.rdx, BigInt(RANGE_GPA) | SHARED_BIT);
    a.label('again');
    a.xor(r.r10d, r.r10d);
    a.mov(r.r11d, TdvmcallLeaf.MAP_GPA);
    a.mov(r.r12, r.rdx);
    a.mov(r.r13, r.rbx);
    a.sub(r.r13, r.r12);
    a.xor(r.r14d, r.r14d);
    a.xor(r.r15d, r.r15d);
    a.mov(r.ecx, HYPERCALL_EXPOSED);
    a.mov(r.eax, TdgLeaf.VP_VMCALL);
    a.tdcall();
    a.mov(r.rdx, r.r11);
    a.cmp(r.r10, RETRY);
    a.jz('again');
    a.mov(r.ebx, SHARED_ALIAS + RANGE_GPA + RANGE_BYTES - 8);
    a.mov(mem(r.rbx), r.rax);
    a.hlt();
  },
};
