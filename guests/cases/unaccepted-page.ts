import { mem, r } from '../../src/isa/index.ts';
import type { CaseGuest } from './case-guest.ts';

const PAGE_GPA = 0x60_0000;

export const unacceptedPage: CaseGuest = {
  name: 'unaccepted-page',
  wrong: 'reads a page of RAM that it never accepted',
  unacceptedGpa: PAGE_GPA,
  program: (a) => {
    a.mov(r.ebx, PAGE_GPA);
    a.mov(r.rax, mem(r.rbx));
    a.hlt();
  },
};
