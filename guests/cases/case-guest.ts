/** The form of a case: a guest of a few instructions that dies in one classic way. It is entered in 64-bit mode with an identity map. */
import type { Assembler } from '../../src/isa/index.ts';

export interface CaseGuest {
  /** "map-gpa-retry-ignored" */
  readonly name: string;
  /** what it does wrong, in one sentence */
  readonly wrong: string;
  /** Emits its code, which begins with the entry point; it has all memory but its own pages to itself. */
  readonly program: (a: Assembler) => void;
  /** a page of RAM that nobody accepts for it */
  readonly unacceptedGpa?: number;
  /** bytes that the host converts in one MapGPA */
  readonly mapGpaChunkBytes?: number;
  /** CPUID feature that its processor does not have */
  readonly withoutFeature?: string;
}
