import { TdgLeaf } from '../../src/abi/index.ts';
import { type Assembler, r } from '../../src/isa/index.ts';
import { DATA_GPA, loadHandler } from '../cases/parts.ts';
import type { ContractTd } from './contract-guest.ts';

const VECTOR_VE = 20;
const HYPERVISOR_LEAF = 0x4000_0000;

function asks(a: Assembler, handler: () => void): void {
  a.mov(r.esp, DATA_GPA + 0x8000);
  loadHandler(a, VECTOR_VE, 'handler');
  a.mov(r.eax, HYPERVISOR_LEAF);
  a.cpuid();
  a.label('end');
  a.jmp('end');
  a.label('handler');
  handler();
  a.jmp('end');
}

function veinfoGet(a: Assembler): void {
  a.mov(r.eax, TdgLeaf.VP_VEINFO_GET);
  a.tdcall();
}

export const veBeforeFetch: ContractTd = {
  rule: 've-before-fetch',
  breaks: (a) =>
    asks(a, () => {
      a.mov(r.eax, HYPERVISOR_LEAF);
      a.cpuid();
      veinfoGet(a);
    }),
  keeps: (a) => asks(a, () => veinfoGet(a)),
};
