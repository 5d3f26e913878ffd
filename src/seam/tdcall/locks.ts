/** Locks that a TDCALL leaf takes, and points where an interrupt for the host ends it early. */
import { CompletionCode as Code, type OperandId } from '../../abi/index.ts';
import { ExitReason } from '../../cpu/index.ts';
import type { SeamCore } from '../core.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { leaveForExit } from '../td-exit/leave.ts';

/** Takes a lock of the TD. False: somebody has it, and the leaf returns `core.code`. The host has priority when both want it. */
export function lock(core: SeamCore, operand: OperandId): boolean {
  if (core.contention?.lockIsBusy() !== true) return true;
  core.fail(Code.OPERAND_BUSY_HOST_PRIORITY, operand);
  return false;
}

/**
 * False if an interrupt waits: the leaf returns `core.code`, the TD exits, and the same TDCALL is executed again when it is entered.
 * Source: TDX Module 1.5 Base Architecture, "Interrupt Latency: Interruptible Guest-Side Functions".
 */
export function goOn(core: SeamCore, vcpu: Vcpu): boolean {
  if (core.contention?.interruptIsPending() !== true) return true;
  const { exit } = vcpu.cpu;
  exit.reset(ExitReason.ExternalInterrupt);
  core.leaving = true;
  core.code = leaveForExit(core, vcpu, Code.SUCCESS, exit);
  return false;
}

const NOT_BUSY = -1;
const TICKS_PER_USEC = 1000;

/**
 * A lock was busy because the host has priority. Has that gone on for longer than HP_LOCK_TIMEOUT? Then the host is to blame.
 * Source: TDX module 1.5 source, tdx_td_dispatcher.c.
 */
export function hostKeepsLock(core: SeamCore, vcpu: Vcpu): boolean {
  const { nowTicks } = core.clock;
  const since = vcpu.hostPriorityBusySinceTicks;
  if (since === NOT_BUSY) vcpu.hostPriorityBusySinceTicks = nowTicks;
  if (since === NOT_BUSY || nowTicks - since < vcpu.td.hostPriorityTimeoutUsec * TICKS_PER_USEC) return false;
  vcpu.hostPriorityBusySinceTicks = NOT_BUSY;
  return true;
}

export function hostGaveLock(vcpu: Vcpu): void {
  vcpu.hostPriorityBusySinceTicks = NOT_BUSY;
}
