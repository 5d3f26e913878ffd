/** Why a TD stopped running. Data: the guest's misbehaviour is never an exception of ours. */
import type { CompletionStatus } from '../abi/index.ts';

/** `not-accepted`, `made-shared`, `no-memory`: a private page that is pending, that MapGPA made shared, that is no RAM. */
export type UnhandledWhy = 'not-accepted' | 'made-shared' | 'no-memory' | 'other';

export type TdEnd =
  /** ACPI S5 */
  | { readonly cause: 'power-off' }
  /** the reset register */
  | { readonly cause: 'reset' }
  /** TDVMCALL ReportFatalError; the message is what the guest sent, of printable ASCII */
  | { readonly cause: 'fatal-error'; readonly vcpu: number; readonly code: bigint; readonly message: string }
  | { readonly cause: 'triple-fault'; readonly vcpu: number }
  /** an exit that this host cannot serve; `sentence` says what the guest did */
  | {
      readonly cause: 'unhandled-exit';
      readonly vcpu: number;
      readonly status: CompletionStatus;
      readonly exitReason: number;
      readonly sentence: string;
      readonly why: UnhandledWhy;
      /** of an EPT violation: guest physical address of the page, shared bit included; else 0 */
      readonly gpa: number;
    }
  /** RunLimits.instructions were retired; the TD can go on */
  | { readonly cause: 'instruction-limit' }
  /**
   * every vCPU waits for an interrupt. `nextAlarmTicks`: when one is due; Infinity: never, unless input comes.
   * With RunLimits.idle = 'skip' this is an end only in the second case. The TD can go on.
   */
  | { readonly cause: 'idle'; readonly nextAlarmTicks: number }
  /** the host asked for it; the TD can go on */
  | { readonly cause: 'stopped' };

/** After these the TD cannot be entered again. */
export function isFinal(end: TdEnd): boolean {
  return end.cause !== 'instruction-limit' && end.cause !== 'idle' && end.cause !== 'stopped';
}
