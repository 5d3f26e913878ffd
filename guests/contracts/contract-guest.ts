/** The form of a contract's guests: one that breaks a rule of `seamulator check --explain`, and one that keeps it in the same place. */
import type { Assembler } from '../../src/isa/index.ts';
import type { CaseGuest } from '../cases/index.ts';
import type { HelperParts } from './helper.ts';

/** A whole TD of a few instructions, as a case is. */
export interface ContractTd extends Pick<CaseGuest, 'unacceptedGpa' | 'mapGpaChunkBytes'> {
  /** id of the rule */
  readonly rule: string;
  readonly breaks: (a: Assembler) => void;
  readonly keeps: (a: Assembler) => void;
}

/** A function that holds a TDCALL. */
export interface ContractHelper {
  /** id of the rule */
  readonly rule: string;
  /** the structure that it is called with: R10 to R15 */
  readonly words: readonly bigint[];
  readonly breaks: Partial<HelperParts>;
  readonly keeps: Partial<HelperParts>;
}
