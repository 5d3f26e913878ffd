/** What rules are shown of a run: the crossings of a TD's border, and what becomes of values around them. */

import type { CompletionCode, Gpr, TdvmcallStatus } from '../../abi/index.ts';
import type { Use } from '../../cpu/index.ts';
import type { Finding, FindingCrossing } from './finding.ts';
import type { Origin } from './flow/origin.ts';
import type { Place } from './place.ts';
import type { Rule } from './rule.ts';

/** General registers as they were at a crossing. */
export class Registers {
  readonly #halves: Uint32Array;

  /** Copies what it is given. */
  constructor(halves: Int32Array | Uint32Array) {
    this.#halves = Uint32Array.from(halves);
  }

  big(register: Gpr): bigint {
    return (BigInt(this.#halves[2 * register + 1]!) << 32n) | BigInt(this.#halves[2 * register]!);
  }

  /** Exact below 2^53: for addresses and lengths. */
  number(register: Gpr): number {
    return this.#halves[2 * register + 1]! * 0x1_0000_0000 + this.#halves[2 * register]!;
  }
}

interface CrossingEvent {
  readonly at: Place;
  readonly crossing: FindingCrossing;
}

/** TDG.VP.VMCALL is about to leave for the VMM. */
export interface VmmCallEvent extends CrossingEvent {
  /** sub-function; undefined: a vendor's own call (R10 is not 0) */
  readonly leaf: number | undefined;
  /** RCX: the registers that cross */
  readonly mask: number;
  readonly given: Registers;
  /** RFLAGS.IF */
  readonly interruptsEnabled: boolean;
  /** the instruction before it in memory is STI */
  readonly afterSti: boolean;
}

export interface VmmAnswerEvent extends CrossingEvent {
  readonly call: VmmCallEvent;
  readonly status: TdvmcallStatus;
  readonly received: Registers;
}

/** A TDCALL that the module has answered: every leaf from 1 on, and leaf 0 where the module refuses it. */
export interface ModuleCallEvent extends CrossingEvent {
  readonly leaf: number;
  readonly given: Registers;
  readonly received: Registers;
  readonly code: CompletionCode;
}

/** #VE, or an exit to the host that the guest did not ask for. */
export interface ExitEvent extends CrossingEvent {
  readonly reason: number;
  /** of an EPT violation, without its shared bit; else 0 */
  readonly gpa: number;
  readonly isShared: boolean;
  /** the module met it while it served a TDCALL of the guest */
  readonly inModuleCall: boolean;
}

export interface ExceptionEvent extends CrossingEvent {
  readonly vector: number;
}

/** A leaf of the Secure EPT has another state. */
export interface PageEvent {
  readonly gpa: number;
  readonly bytes: number;
  /** given by the host, and not accepted yet */
  readonly isPending: boolean;
}

/** How a register came to what it holds when it is exposed. */
export type Provenance =
  /** the guest has written it in this call of its helper */
  | 'put'
  /** as the helper's caller left it */
  | 'callers'
  /** as the host left it in the call before */
  | 'hosts'
  /** as the module left it in the call before */
  | 'modules'
  /** the helper reaches memory through it */
  | 'address';

/** TDG.VP.VMCALL in a helper whose entry was seen. */
export interface ExposedEvent extends CrossingEvent {
  readonly mask: number;
  readonly registers: readonly { readonly name: string; readonly value: bigint; readonly provenance: Provenance }[];
}

export interface UsedEvent {
  readonly at: Place;
  readonly origin: Origin;
  readonly how: Use | 'length';
}

/** A status is gone: overwritten wherever it was, and no branch has depended on it. */
export interface LostEvent {
  readonly at: Place;
  readonly origin: Origin;
}

/** A helper, a function that holds the TDCALL, has returned. */
export interface ReturnedEvent {
  /** the instruction that returned */
  readonly at: Place;
  /** its crossings, oldest first */
  readonly crossings: readonly FindingCrossing[];
  /** registers other than RAX that still hold what the host could write, and nobody has looked at */
  readonly kept: readonly { readonly name: string; readonly origin: Origin }[];
  readonly rax: bigint;
  /** RAX comes from a status of the mechanism */
  readonly returnsMechanismStatus: boolean;
  /** status of a leaf 0 that was refused in it */
  readonly failure: Origin | undefined;
  /** undefined: its entry was not seen */
  readonly whole: WholeCall | undefined;
}

/** What the caller of a helper finds changed. */
export interface WholeCall {
  /** callee-saved registers with other values, in lower case */
  readonly clobbered: readonly string[];
  /** stack pointer after the return, less what it should be */
  readonly stackOffBytes: bigint;
  readonly rflagsBefore: number;
  readonly rflagsAfter: number;
}

/** After leaf 0 was refused the helper has stopped the guest by itself. */
export interface TrappedEvent extends CrossingEvent {
  /** "UD2" */
  readonly mnemonic: string;
}

/** What a rule wants to be told; state that it keeps between two events is in its closure. */
export interface RuleWatch {
  vmmCall?(event: VmmCallEvent): void;
  vmmAnswer?(event: VmmAnswerEvent): void;
  moduleCall?(event: ModuleCallEvent): void;
  virtualizationException?(event: ExitEvent): void;
  tdExit?(event: ExitEvent): void;
  exception?(event: ExceptionEvent): void;
  page?(event: PageEvent): void;
  exposed?(event: ExposedEvent): void;
  used?(event: UsedEvent): void;
  lost?(event: LostEvent): void;
  returned?(event: ReturnedEvent): void;
  trapped?(event: TrappedEvent): void;
  /** nothing more will come */
  end?(): void;
}

export interface Report {
  readonly at: Place;
  readonly message: string;
  readonly crossing?: FindingCrossing;
  readonly registers?: Finding['registers'];
  readonly gpa?: number;
}

export interface CheckedTd {
  /** is this a page of the TD's memory, by its address without the shared bit */
  isRam(gpa: number): boolean;
  /** the address without its shared bit, and whether it had one */
  splitGpa(gpa: number): { readonly address: number; readonly isShared: boolean };
}

/** One row of the table of rules, and the function that sees the rule broken. */
export interface CheckRule extends Rule {
  readonly watch: (report: (found: Report) => void, td: CheckedTd) => RuleWatch;
}
