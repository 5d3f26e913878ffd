import type { Row } from './row.ts';

/** Exchange and compare-and-exchange. */
export const atomic: readonly Row[] = [
  ['0F B0 /r', 'CMPXCHG r/m8, r8', 'lock'],
  ['0F B1 /r', 'CMPXCHG r/mv, rv', 'lock'],
  ['0F C7 /1', 'CMPXCHG8B m64', 'lock CX8'],
  ['0F C7 /1', 'CMPXCHG16B m128', 'lock o64 CX16'],
  ['0F C0 /r', 'XADD r/m8, r8', 'lock'],
  ['0F C1 /r', 'XADD r/mv, rv', 'lock'],
  ['90+r', 'XCHG rv, rAX'],
  ['86 /r', 'XCHG r/m8, r8', 'lock'],
  ['87 /r', 'XCHG r/mv, rv', 'lock'],
];
