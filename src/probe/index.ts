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
  /** the host's answer reaches the guest; code = R10 low, operand = R10 high, result = R11 as a number */
  VmmAnswer: 7,
  /** a Secure EPT leaf changed; code = new state, operand = level + 256 * old state, result = GPA */
  PrivatePage: 8,
  /** a shared page came (code 1) or went (code 0); result = GPA without its shared bit */
  SharedPage: 9,
  /** the host posted an interrupt; code = vector */
  InterruptPosted: 10,
  /** the guest took an interrupt; code = vector, operand = instructions since the processor was entered */
  InterruptTaken: 11,
  /** a TDCALL is about to be answered by the module: registers as the guest gave them. Only for observers that want entries */
  ModuleCallEntry: 12,
  /** a SEAMCALL begins: registers as the host gave them. Only for observers that want entries */
  HostCallEntry: 13,
} as const;
export type CrossingKind = (typeof CrossingKind)[keyof typeof CrossingKind];

/** 16 general registers as 32-bit halves: low of register n at 2n, high at 2n + 1. */
export type RegisterHalves = Int32Array;

/** Where nobody's registers are to be seen. */
export const NO_REGISTERS: RegisterHalves = new Int32Array(32);

export interface CrossingObserver {
  /** asks for the kinds that say what a call was before it was served */
  readonly wantsEntries?: boolean;
  /** the kinds it does something about: it need not be told of others; default: all */
  readonly kinds?: readonly CrossingKind[];
  /**
   * One crossing has happened. All numbers: `code`, `operand` and `result` as the kind says (signed 32-bit low halves, addresses
   * whole); RIP of the instruction as halves, 0 where there is none. `registers` are those of who called, at this moment; whoever
   * wants them later copies them.
   */
  crossing(
    kind: CrossingKind,
    vcpuIndex: number,
    code: number,
    operand: number,
    result: number,
    ripLow: number,
    ripHigh: number,
    registers: RegisterHalves,
  ): void;
}

export const NULL_OBSERVER: CrossingObserver = { crossing() {} };

/** Several observers as one; each sees everything that it does something about. */
export function observeAll(...observers: readonly CrossingObserver[]): CrossingObserver {
  const byKind = Object.values(CrossingKind).map((kind) =>
    observers.filter(({ kinds }) => kinds === undefined || kinds.includes(kind)),
  );
  return {
    wantsEntries: observers.some(({ wantsEntries }) => wantsEntries === true),
    crossing(kind, vcpuIndex, code, operand, result, ripLow, ripHigh, registers) {
      const those = byKind[kind]!;
      for (let i = 0; i < those.length; i++)
        those[i]!.crossing(kind, vcpuIndex, code, operand, result, ripLow, ripHigh, registers);
    },
  };
}
