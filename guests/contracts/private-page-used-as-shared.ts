import { TdvmcallLeaf } from '../../src/abi/index.ts';
import { type Assembler, r } from '../../src/isa/index.ts';
import { SHARED_BIT, vmcall } from '../cases/parts.ts';
import type { ContractTd } from './contract-guest.ts';

const BUFFER_GPA = 0x40_0000;
const BUFFER_BYTES = 0x4000;

function quote(a: Assembler, buffer: bigint): void {
  vmcall(a, TdvmcallLeaf.MAP_GPA, [BigInt(BUFFER_GPA) | SHARED_BIT, BUFFER_BYTES]);
  vmcall(a, TdvmcallLeaf.GET_QUOTE, [buffer, BUFFER_BYTES]);
  a.test(r.r10, r.r10);
  a.hlt();
}

export const privatePageUsedAsShared: ContractTd = {
  rule: 'private-page-used-as-shared',
  breaks: (a) => quote(a, BigInt(BUFFER_GPA)),
  keeps: (a) => quote(a, BigInt(BUFFER_GPA) | SHARED_BIT),
};
