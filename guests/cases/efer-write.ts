import { r } from '../../src/isa/index.ts';
import type { CaseGuest } from './case-guest.ts';

const IA32_EFER = 0xc000_0080;
/** SCE and LME, as code for any other machine sets them: without NXE */
const VALUE = 0x101;

export const eferWrite: CaseGuest = {
  name: 'efer-write',
  wrong: 'sets IA32_EFER as it would on any other machine',
  program: (a) => {
    a.mov(r.ecx, IA32_EFER);
    a.mov(r.eax, VALUE);
    a.xor(r.edx, r.edx);
    a.wrmsr();
    a.hlt();
  },
};
