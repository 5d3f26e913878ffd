import { r } from '../../src/isa/index.ts';
import type { CaseGuest } from './case-guest.ts';
import { DATA_GPA, loadHandler } from './parts.ts';

export const veWithinVe: CaseGuest = {
  name: 've-within-ve',
  wrong: 'writes to a port in its handler of #VE, before it asks what the #VE was about',
  program: (a) => {
    a.mov(r.esp, DATA_GPA + 0x8000);
    loadHandler(a, 20, 'handler');
    a.mov(r.eax, 0x4000_0000);
    a.cpuid();
    a.hlt();
    a.label('handler');
    a.mov(r.edx, 0x3f8);
    a.mov(r.eax, 0x21);
    a.out(r.dx, r.al);
    a.iretq();
  },
};
