/** SSE to SSE4.2, and what is encoded like it: AES, carry-less products, GFNI. AVX gives most of them a VEX form. */
import { aesOperations } from './aes.ts';
import { carryLessOperations } from './carry-less.ts';
import { gfniOperations } from './gfni.ts';
import { joinTables } from './join-tables.ts';
import { sseFloatOperations } from './sse-float.ts';
import { sseIntegerOperations } from './sse-integer.ts';
import { sseMoveOperations } from './sse-move.ts';
import { sseShuffleOperations } from './sse-shuffle.ts';
import { sseStringOperations } from './sse-string.ts';

export const sseOperations = joinTables(
  sseMoveOperations,
  sseIntegerOperations,
  sseShuffleOperations,
  sseFloatOperations,
  sseStringOperations,
  aesOperations,
  carryLessOperations,
  gfniOperations,
);
