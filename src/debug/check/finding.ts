/** One place where a guest broke a rule. */

import type { Severity } from './rule.ts';

/** The crossing that a finding is about, in the words of a trace (TraceEvent). */
export interface FindingCrossing {
  /** "module call", "VMM call", "#VE", "TD exit" */
  readonly kind: string;
  /** leaf, sub-function or exit reason by its name in the specification */
  readonly name: string;
  /** of the instruction that crossed, linear */
  readonly rip: bigint;
  /** completion status or TDVMCALL status by name, once there is one */
  readonly status?: string;
}

export interface Finding {
  /** id of the rule */
  readonly rule: string;
  /** of the rule */
  readonly severity: Severity;
  /** one sentence about this place, with a full stop: names, numbers, what was expected */
  readonly message: string;
  /** instructions that the vCPU had retired when it was seen first */
  readonly instructionCount: number;
  readonly vcpu: number;
  /** linear address of the instruction at fault */
  readonly rip: bigint;
  /** "name+0x12", where the address has a symbol */
  readonly symbol?: string;
  readonly crossing?: FindingCrossing;
  /** general registers named in it, in lower case: "r12" */
  readonly registers?: readonly string[];
  /** guest physical address named in it, without its shared bit */
  readonly gpa?: number;
  /** times that the rule was broken at this instruction */
  readonly times: number;
}
