/** Why the processor stopped: VMX's own reason numbers and qualification (SDM vol. 3, appendix C "VMX Basic Exit Reasons"). */

export const ExitReason = {
  ExceptionOrNmi: 0,
  ExternalInterrupt: 1,
  TripleFault: 2,
  InterruptWindow: 7,
  NmiWindow: 8,
  TaskSwitch: 9,
  Cpuid: 10,
  Getsec: 11,
  Hlt: 12,
  Invd: 13,
  Rdpmc: 15,
  Rsm: 17,
  Vmcall: 18,
  /** VMCLEAR; the other VMX instructions follow */
  VmxInstruction: 19,
  Vmlaunch: 20,
  Vmptrld: 21,
  Vmptrst: 22,
  Vmread: 23,
  Vmresume: 24,
  Vmwrite: 25,
  Vmxoff: 26,
  Vmxon: 27,
  CrAccess: 28,
  DrAccess: 29,
  IoInstruction: 30,
  Rdmsr: 31,
  Wrmsr: 32,
  Mwait: 36,
  Monitor: 39,
  EptViolation: 48,
  EptMisconfiguration: 49,
  Invept: 50,
  Invvpid: 53,
  Wbinvd: 54,
  Xsetbv: 55,
  ApicWrite: 56,
  Vmfunc: 59,
  Encls: 60,
  Pconfig: 65,
  Seamcall: 76,
  Tdcall: 77,
} as const;
export type ExitReason = number;

/** One object per processor, filled anew at each exit. 64-bit fields are pairs of signed 32-bit halves. */
export class ExitRecord {
  reason: ExitReason = 0;
  /** exit qualification as VMX defines it for the reason */
  qualificationLow = 0;
  qualificationHigh = 0;
  /** bytes of the instruction that exited; 0 where VMX leaves it undefined */
  instructionLength = 0;
  /** VMX instruction information field, 0 where it has none */
  instructionInformation = 0;
  guestLinearLow = 0;
  guestLinearHigh = 0;
  /** guest physical address as a number (at most 52 bits), EPT exits only */
  guestPhysical = 0;
  /** VMX interruption information (vector 7:0, type 10:8, error code valid 11, valid 31) of reason 0, and of the event that was being delivered */
  interruptionInformation = 0;
  interruptionErrorCode = 0;
  idtVectoringInformation = 0;
  idtVectoringErrorCode = 0;

  reset(reason: ExitReason): void {
    this.reason = reason;
    this.qualificationLow = this.qualificationHigh = 0;
    this.instructionLength = this.instructionInformation = 0;
    this.guestLinearLow = this.guestLinearHigh = this.guestPhysical = 0;
    this.interruptionInformation = this.interruptionErrorCode = 0;
    this.idtVectoringInformation = this.idtVectoringErrorCode = 0;
  }
}
