import { TdvmcallLeaf } from '../../src/abi/index.ts';
import type { CaseGuest } from './case-guest.ts';
import { vmcall } from './parts.ts';

export const hltWithNothingToWakeIt: CaseGuest = {
  name: 'hlt-with-nothing-to-wake-it',
  wrong: 'waits for an interrupt with interrupts blocked and no timer set',
  program: (a) => {
    vmcall(a, TdvmcallLeaf.INSTRUCTION_HLT, [1]);
    a.ud2();
  },
};
