/** The form of a contract's guests: one that breaks a rule of `seamulator check --explain`, and one that keeps it in the same place. */
import type { Assembler } from '../../src/isa/index.ts';
import type { CaseGuest } from '../cases/index.ts';

/** A whole TD of a few instructions, as a case is. */
export interface ContractTd extends Pick<CaseGuest, 'unacceptedGpa' | 'mapGpaChunkBytes'> {
  /** id of the rule */
  readonly rule: string;
  readonly breaks: (a: Assembler) => void;
  readonly keeps: (a: Assembler) => void;
}
