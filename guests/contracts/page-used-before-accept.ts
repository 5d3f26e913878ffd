import { TdgLeaf } from '../../src/abi/index.ts';
import { type Assembler, mem, r } from '../../src/isa/index.ts';
import type { ContractTd } from './contract-guest.ts';

const PAGE_GPA = 0x60_0000;

/** Accepts the page that nobody has accepted. */
export function acceptPage(a: Assembler): void {
  a.mov(r.ecx, PAGE_GPA);
  a.mov(r.eax, TdgLeaf.MEM_PAGE_ACCEPT);
  a.tdcall();
}

function uses(a: Assembler): void {
  a.mov(r.ebx, PAGE_GPA);
  a.mov(r.rax, mem(r.rbx));
  a.hlt();
}

export const pageUsedBeforeAccept: ContractTd = {
  rule: 'page-used-before-accept',
  unacceptedGpa: PAGE_GPA,
  breaks: uses,
  keeps: (a) => {
    acceptPage(a);
    uses(a);
  },
};

export const pageAcceptedTwice: ContractTd = {
  rule: 'page-accepted-twice',
  unacceptedGpa: PAGE_GPA,
  breaks: (a) => {
    acceptPage(a);
    acceptPage(a);
    uses(a);
  },
  keeps: (a) => {
    acceptPage(a);
    uses(a);
  },
};
