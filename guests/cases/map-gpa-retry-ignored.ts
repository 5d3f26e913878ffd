import { TdvmcallLeaf } from '../../src/abi/index.ts';
import { mem, r } from '../../src/isa/index.ts';
import type { CaseGuest } from './case-guest.ts';
import { mapShared, SHARED_ALIAS, SHARED_BIT, vmcall } from './parts.ts';

const RANGE_GPA = 0x40_0000;
const RANGE_BYTES = 0x4000;

export const mapGpaRetryIgnored: CaseGuest = {
  name: 'map-gpa-retry-ignored',
  wrong: 'does not go on with MapGPA when the host answers RETRY, and uses the end of the range',
  mapGpaChunkBytes: 0x2000,
  program: (a) => {
    mapShared(a);
    vmcall(a, TdvmcallLeaf.MAP_GPA, [BigInt(RANGE_GPA) | SHARED_BIT, RANGE_BYTES]);
    a.mov(r.ebx, SHARED_ALIAS + RANGE_GPA);
    a.mov(mem(r.rbx), r.rax); // converted
    a.mov(mem(r.rbx, RANGE_BYTES - 8), r.rax); // not yet
    a.hlt();
  },
};
