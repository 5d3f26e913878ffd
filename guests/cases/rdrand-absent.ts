import { r } from '../../src/isa/index.ts';
import type { CaseGuest } from './case-guest.ts';

export const rdrandAbsent: CaseGuest = {
  name: 'rdrand-absent',
  wrong: 'takes RDRAND for granted on a processor without it',
  withoutFeature: 'RDRAND',
  program: (a) => {
    a.label('again');
    a.rdrand(r.rax);
    a.jnc('again');
    a.hlt();
  },
};
