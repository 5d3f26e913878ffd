/** Every vector and floating-point operation: SSE to SSE4.2, AVX, AVX2, FMA, MMX, x87 and their save areas. */
import { avxOperations } from './avx.ts';
import { fmaOperations } from './fma.ts';
import { fxsaveOperations } from './fxsave.ts';
import { joinTables } from './join-tables.ts';
import { mmxOperations } from './mmx.ts';
import { shaOperations } from './sha.ts';
import { sseOperations } from './sse.ts';
import { x87ArithmeticOperations } from './x87-arithmetic.ts';
import { x87ControlOperations } from './x87-control.ts';
import { x87MoveOperations } from './x87-move.ts';
import { x87TranscendentalOperations } from './x87-transcendental.ts';
import { xsaveOperations } from './xsave.ts';

export const vectorOperations = joinTables(
  sseOperations,
  shaOperations,
  avxOperations,
  fmaOperations,
  mmxOperations,
  x87ControlOperations,
  x87MoveOperations,
  x87ArithmeticOperations,
  x87TranscendentalOperations,
  fxsaveOperations,
  xsaveOperations,
);
