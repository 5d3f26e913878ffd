/** Whether the system lets SSE and AVX instructions execute (SDM Vol. 2A, "Exception Conditions of SIMD Instructions", and "Instruction Exception Specification"). */
import { Vector, VectorState } from '../isa/index.ts';
import { Cr0, Cr4 } from './architecture.ts';
import { GuestFault, type Processor } from './processor.ts';
import { S } from './state.ts';

/** XCR0: SSE and AVX state */
const XCR0_VECTORS = 6;

const sseExists = ({ state }: Processor): boolean =>
  (state.low(S.cr0) & Cr0.EM) === 0 && (state.low(S.cr4) & Cr4.OSFXSR) !== 0;

const avxExists = ({ state }: Processor): boolean =>
  (state.low(S.cr4) & Cr4.OSXSAVE) !== 0 && (state.low(S.xcr0) & XCR0_VECTORS) === XCR0_VECTORS;

const isTaken = ({ state }: Processor): boolean => (state.low(S.cr0) & Cr0.TS) !== 0;

/** States (bits of `VectorState`) whose instructions fault as things are. */
export function forbiddenVectorStates(cpu: Processor): number {
  if (isTaken(cpu)) return VectorState.Sse | VectorState.Avx;
  return (sseExists(cpu) ? 0 : VectorState.Sse) | (avxExists(cpu) ? 0 : VectorState.Avx);
}

/** #UD where the state is not enabled, #NM where CR0.TS says that it is somebody else's. */
export function requireVectorState(cpu: Processor, vectorState: VectorState): void {
  const exists = vectorState === VectorState.Avx ? avxExists(cpu) : sseExists(cpu);
  if (!exists) throw new GuestFault(Vector.UD);
  if (isTaken(cpu)) throw new GuestFault(Vector.NM);
}
