import { mem, r } from '../../src/isa/index.ts';
import type { CaseGuest } from './case-guest.ts';

/** the first address that the shim's identity map does not have */
const UNMAPPED = 0x1_0000_0000n;

export const tripleFaultInEarlyBoot: CaseGuest = {
  name: 'triple-fault-in-early-boot',
  wrong: 'uses an address that is not mapped before it has an interrupt table',
  program: (a) => {
    a.movabs(r.rbx, UNMAPPED);
    a.mov(r.rax, mem(r.rbx, 0x18));
    a.hlt();
  },
};
