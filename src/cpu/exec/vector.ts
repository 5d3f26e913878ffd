/** Every vector and floating-point operation: SSE to SSE4.2, MMX, x87 and their save areas. */
import { fxsaveOperations } from './fxsave.ts';
import { mmxOperations } from './mmx.ts';
import type { OperationTable } from './sem.ts';
import { sseIntegerOperations } from './sse-integer.ts';
import { sseMoveOperations } from './sse-move.ts';
import { sseShuffleOperations } from './sse-shuffle.ts';
import { x87ControlOperations } from './x87-control.ts';

export const vectorOperations: OperationTable = {
  ...sseMoveOperations,
  ...sseIntegerOperations,
  ...sseShuffleOperations,
  ...mmxOperations,
  ...x87ControlOperations,
  ...fxsaveOperations,
};
