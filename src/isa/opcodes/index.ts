import { arith } from './arith.ts';
import { atomic } from './atomic.ts';
import { avxFloat } from './avx-float.ts';
import { avxInteger } from './avx-integer.ts';
import { avxOnly } from './avx-only.ts';
import { bit } from './bit.ts';
import { branch } from './branch.ts';
import { fma } from './fma.ts';
import { logic } from './logic.ts';
import { move } from './move.ts';
import { muldiv } from './muldiv.ts';
import type { Row } from './row.ts';
import { shift } from './shift.ts';
import { simd } from './simd.ts';
import { sse } from './sse.ts';
import { stack } from './stack.ts';
import { string } from './string.ts';
import { system } from './system.ts';
import { tdx } from './tdx.ts';
import { x87 } from './x87.ts';

/** Every form the decoder knows. Order has no meaning: the more specific row wins where two fit, and a tie is an error. */
export const rows: readonly Row[] = [
  ...arith,
  ...logic,
  ...shift,
  ...move,
  ...stack,
  ...branch,
  ...string,
  ...bit,
  ...muldiv,
  ...atomic,
  ...x87,
  ...sse,
  ...simd,
  ...avxFloat,
  ...avxInteger,
  ...avxOnly,
  ...fma,
  ...system,
  ...tdx,
];
