import { r } from '../../src/isa/index.ts';
import type { CaseGuest } from './case-guest.ts';

export const veBeforeAHandler: CaseGuest = {
  name: 've-before-a-handler',
  wrong: 'writes to a port before it has an interrupt table',
  program: (a) => {
    a.mov(r.edx, 0x3f8);
    a.mov(r.eax, 0x41);
    a.out(r.dx, r.al);
    a.hlt();
  },
};
