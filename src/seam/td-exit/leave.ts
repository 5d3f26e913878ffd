/** The TD exit: what of the vCPU the host gets to see. Source: TDX Module 1.5 ABI Definition, "TDH.VP.ENTER Leaf", "Format for Asynchronous TD Exits". */
import { type CompletionCode, ExtendedQualification, Gpr, type RegisterFile, TdExitReason } from '../../abi/index.ts';
import { type ExitRecord, S } from '../../cpu/index.ts';
import { CrossingKind } from '../../probe/index.ts';
import type { SeamCore } from '../core.ts';
import { LastExit, type Vcpu } from '../structures/vcpu.ts';

/** of RAX, as the guest makes a TDCALL */
const LEAF_MASK = 0xffff;
const XMM_BYTES = 16;
const YMM_BYTES = 32;
const FIRST_XMM_BIT = 16;
const GPRS_MASK = 0xffff;

/** Copies the general registers of a mask, the highest last: register n has the halves 2n and 2n + 1. */
function copyRegisters(to: Int32Array, from: Int32Array, mask: number): void {
  for (let rest = mask & GPRS_MASK; rest !== 0; rest &= rest - 1) {
    const low = 62 - 2 * Math.clz32(rest & -rest);
    to[low] = from[low]!;
    to[low + 1] = from[low + 1]!;
  }
}

/** Everything the host could see that the exit does not show is cleared. */
function scrub(registers: RegisterFile): void {
  registers.clear();
  registers.clearXmm();
}

/** An exit that the guest did not ask for. Returns the completion code; the reason becomes RAX 31:0. */
export function leaveAsynchronously(
  core: SeamCore,
  vcpu: Vcpu,
  code: CompletionCode,
  reason: number,
  qualificationLow: number,
  extendedType: number,
  extendedInformation: number,
  gpa: number,
  interruptionInformation: number,
): CompletionCode {
  const { state } = vcpu.cpu;
  const registers = core.hostRegisters!;
  scrub(registers);
  registers.set(Gpr.RCX, qualificationLow, 0);
  registers.set(Gpr.RDX, extendedType, extendedInformation);
  registers.setNumber(Gpr.R8, gpa - (gpa % 4096));
  registers.set(Gpr.R9, interruptionInformation, 0);
  vcpu.lastExit = LastExit.ASYNCHRONOUS;
  core.observer.crossing(
    CrossingKind.TdExit,
    vcpu.index,
    reason,
    qualificationLow,
    gpa,
    state.low(S.rip),
    state.high(S.rip),
    state.gprs,
  );
  return core.fail(code, reason);
}

/**
 * A TDCALL leaf that is over ends in a TD exit about somebody else: the guest has its status (`code`, `core.details`) and goes on after
 * the TDCALL when it is entered again. The host gets `exitCode`, what is in RDX, and an address. Source: TDX module 1.5 source, td_exit.c.
 */
export function leaveAsTrap(
  core: SeamCore,
  vcpu: Vcpu,
  code: CompletionCode,
  exitCode: CompletionCode,
  rdxLow: number,
  rdxHigh: number,
  gpa: number,
): CompletionCode {
  const { cpu } = vcpu;
  const { state } = cpu;
  const leaf = state.low(S.gpr) & LEAF_MASK;
  const operand = state.low(S.gpr + Gpr.RCX * 8);
  state.set(S.gpr, core.details, code);
  core.observer.crossing(
    CrossingKind.ModuleCall,
    vcpu.index,
    leaf,
    operand,
    code | 0,
    state.low(S.rip),
    state.high(S.rip),
    state.gprs,
  );
  cpu.skipInstruction(cpu.exit.instructionLength);
  core.leaving = true;
  leaveAsynchronously(core, vcpu, exitCode, 0, 0, rdxLow, rdxHigh, gpa, 0);
  vcpu.lastExit = LastExit.ASYNCHRONOUS_TRAP;
  return exitCode;
}

/** As leaveAsynchronously, with nothing but the exit's own reason and qualification. */
export function leaveForExit(core: SeamCore, vcpu: Vcpu, code: CompletionCode, exit: ExitRecord): CompletionCode {
  const { reason, qualificationLow, interruptionInformation } = exit;
  return leaveAsynchronously(
    core,
    vcpu,
    code,
    reason,
    qualificationLow,
    ExtendedQualification.NONE,
    0,
    0,
    interruptionInformation,
  );
}

/** TDG.VP.VMCALL: the registers in the mask cross, nothing else does. */
export function leaveForVmcall(core: SeamCore, vcpu: Vcpu, mask: number): CompletionCode {
  const { state, memory } = vcpu.cpu;
  const registers = core.hostRegisters!;
  scrub(registers);
  copyRegisters(registers.i32, state.gprs, mask);
  registers.set(Gpr.RCX, mask, 0);
  if (mask >>> FIRST_XMM_BIT !== 0)
    for (let xmm = 0; xmm < 16; xmm++)
      if ((mask & (1 << (FIRST_XMM_BIT + xmm))) !== 0) {
        const from = state.base + S.vector + xmm * YMM_BYTES;
        registers.xmm.set(memory.u8.subarray(from, from + XMM_BYTES), xmm * XMM_BYTES);
      }
  vcpu.exposedMask = mask;
  vcpu.lastExit = LastExit.TDVMCALL;
  core.details = TdExitReason.TDCALL;
  return 0;
}

/** The host's answer to TDG.VP.VMCALL goes into the registers of the mask; RAX = 0, RCX = the mask as it was. */
export function takeVmcallAnswer(core: SeamCore, vcpu: Vcpu, registers: RegisterFile): void {
  const { state, memory } = vcpu.cpu;
  const mask = vcpu.exposedMask;
  copyRegisters(state.gprs, registers.i32, mask);
  if (mask >>> FIRST_XMM_BIT !== 0)
    for (let xmm = 0; xmm < 16; xmm++)
      if ((mask & (1 << (FIRST_XMM_BIT + xmm))) !== 0)
        memory.u8.set(
          registers.xmm.subarray(xmm * XMM_BYTES, (xmm + 1) * XMM_BYTES),
          state.base + S.vector + xmm * YMM_BYTES,
        );
  state.set(S.gpr, 0, 0);
  state.set(S.gpr + Gpr.RCX * 8, mask, 0);
  vcpu.lastExit = LastExit.ASYNCHRONOUS;
  const r10 = S.gpr + Gpr.R10 * 8;
  const r11 = registers.number(Gpr.R11);
  core.observer.crossing(
    CrossingKind.VmmAnswer,
    vcpu.index,
    state.low(r10),
    state.high(r10),
    r11,
    state.low(S.rip),
    state.high(S.rip),
    state.gprs,
  );
}
