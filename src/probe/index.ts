/** Where crossings of the TD's border are seen. Numbers only: text comes from the tables of `abi`, later and elsewhere. */

export const CrossingKind = {
  /** TDCALL answered by the module; code = leaf, operand = RCX, result = completion code */
  ModuleCall: 0,
  /** TDG.VP.VMCALL leaving for the VMM; code = R11 (vendor calls: 0x8000_0000 + R10 low), operand = R12, result = R14 */
  VmmCall: 1,
  /** #VE injected; code = exit reason, operand = qualification (ECX for CPUID and MSR exits), result = GPA */
  VirtualizationException: 2,
  /** asynchronous TD exit; code = exit reason, operand = qualification, result = GPA */
  TdExit: 3,
  /** exit that the module handled without anyone noticing; code = exit reason, operand = ECX */
  Handled: 4,
  /** exception other than #VE injected by the module; code = vector, operand = exit reason */
  Exception: 5,
  /** SEAMCALL by the host; code = leaf, operand = RCX, result = completion code */
  HostCall: 6,
} as const;
export type CrossingKind = (typeof CrossingKind)[keyof typeof CrossingKind];

export interface CrossingObserver {
  /**
   * One crossing has happened. All numbers: `code`, `operand` and `result` as the kind says (signed 32-bit low halves, addresses
   * whole); RIP of the instruction as halves, 0 where there is none.
   */
  crossing(
    kind: CrossingKind,
    vcpuIndex: number,
    code: number,
    operand: number,
    result: number,
    ripLow: number,
    ripHigh: number,
  ): void;
}

export const NULL_OBSERVER: CrossingObserver = { crossing() {} };
