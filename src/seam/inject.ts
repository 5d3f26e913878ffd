/** Exceptions that the module raises in the guest. RIP stays at the instruction. Source: TDX Module 1.5 Base Architecture, "Exceptions Injected by the TDX Module". */
import type { VeCategory } from '../abi/index.ts';
import { ExitReason, type ExitRecord, S, VECTOR_VE } from '../cpu/index.ts';
import { CrossingKind } from '../probe/index.ts';
import type { SeamCore } from './core.ts';
import type { Vcpu } from './structures/vcpu.ts';

export const Vector = { UD: 6, DF: 8, GP: 13, PF: 14 } as const;

/** Type of a hardware exception in the VMX interruption information. */
const HARDWARE_EXCEPTION = 3;
const RFLAGS_RF = 1 << 16;

/** Injects an exception other than #VE. */
export function injectException(
  core: SeamCore,
  vcpu: Vcpu,
  vector: number,
  errorCode: number | undefined,
  reason: number,
): void {
  const { cpu } = vcpu;
  core.observer.crossing(
    CrossingKind.Exception,
    vcpu.index,
    vector,
    reason,
    0,
    cpu.state.low(S.rip),
    cpu.state.high(S.rip),
    cpu.state.gprs,
  );
  cpu.inject(vector, HARDWARE_EXCEPTION, errorCode);
}

/**
 * Injects #VE with VE_INFO of the exit; #DF if the guest has not read the last one yet. The caller says which addresses count:
 * `gpa` and the exit's linear address for EPT violations, otherwise 0.
 */
export function injectVe(
  core: SeamCore,
  vcpu: Vcpu,
  exit: ExitRecord,
  reason: number,
  qualificationLow: number,
  gpa: number,
  operand: number,
  category: VeCategory,
): void {
  const { cpu } = vcpu;
  const { state, virtualizationException: info } = cpu;
  core.observer.crossing(
    CrossingKind.VirtualizationException,
    vcpu.index,
    reason,
    operand,
    gpa,
    state.low(S.rip),
    state.high(S.rip),
    state.gprs,
  );
  if (info.valid) {
    injectException(core, vcpu, Vector.DF, 0, reason);
  } else {
    const isEpt = reason === ExitReason.EptViolation;
    info.valid = true;
    info.exitReason = reason;
    info.qualificationLow = qualificationLow;
    info.qualificationHigh = 0;
    info.guestLinearLow = isEpt ? exit.guestLinearLow : 0;
    info.guestLinearHigh = isEpt ? exit.guestLinearHigh : 0;
    info.guestPhysical = gpa;
    info.eptpIndex = 0;
    vcpu.veInstructionLength = isEpt ? 0 : exit.instructionLength;
    vcpu.veInstructionInformation = exit.instructionInformation;
    vcpu.veCategory = category;
    cpu.inject(VECTOR_VE, HARDWARE_EXCEPTION);
  }
  state.setLow(S.rflags, state.low(S.rflags) | RFLAGS_RF);
}
