import { TdvmcallLeaf } from '../../src/abi/index.ts';
import type { CaseGuest } from './case-guest.ts';
import { print, vmcall } from './parts.ts';

export const guestPanic: CaseGuest = {
  name: 'guest-panic',
  wrong: 'panics as a Linux kernel does: words on the console, then a halt',
  program: (a) => {
    print(a, 'BUG: kernel NULL pointer dereference, address: 0000000000000018\r\n');
    print(a, 'RIP: 0010:mount_root+0x1c/0x80\r\n');
    print(a, 'Kernel panic - not syncing: VFS: Unable to mount root fs\r\n');
    vmcall(a, TdvmcallLeaf.INSTRUCTION_HLT, [1]);
    a.ud2();
  },
};
