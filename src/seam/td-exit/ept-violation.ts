/** EPT violations, and guest operands that meet one. Source: TDX Module 1.5 Base Architecture, "EPT Violation", "Extended Exit Qualification". */
import {
  CompletionCode as Code,
  type CompletionCode,
  ExtendedQualification,
  type PageLevel,
  VeCategory,
} from '../../abi/index.ts';
import { ExitReason, type ExitRecord, S, SecondLevel } from '../../cpu/index.ts';
import type { SeamCore } from '../core.ts';
import { injectException, injectVe, Vector } from '../inject.ts';
import { SEPT_STATES } from '../sept/states.ts';
import type { TdConfiguration } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { leaveAsynchronously } from './leave.ts';
import { STAY } from './outcome.ts';

/** Exit qualification bits that the host may see: read, write, fetch and the rights of the page. */
const HOST_VISIBLE_QUALIFICATION = 0x7f;
const QUALIFICATION_READ = 1 << 0;
const QUALIFICATION_WRITE = 1 << 1;
const QUALIFICATION_FETCH = 1 << 2;
const QUALIFICATION_PAGE_RWX = 7 << 3;
const GLA_VALID = 1 << 7;
const VALID = 0x8000_0000 | 0;
const ERROR_PRESENT_RESERVED = 0x9;
const ERROR_WRITE = 1 << 1;
const ERROR_USER = 1 << 2;
const ERROR_FETCH = 1 << 4;

export function handleEptViolation(
  core: SeamCore,
  vcpu: Vcpu,
  exit: ExitRecord,
  configuration: TdConfiguration,
): CompletionCode {
  const gpa = exit.guestPhysical;
  const { sharedBit } = configuration;
  if (gpa >= sharedBit * 2 && (exit.qualificationLow & GLA_VALID) !== 0) return reservedBitFault(core, vcpu, exit);
  requeueInterruptedEvent(vcpu, exit);
  return gpa >= sharedBit
    ? sharedViolation(core, vcpu, exit, gpa, sharedBit)
    : privateViolation(core, vcpu, exit, configuration, gpa);
}

/** An address above the shared bit: the page tables hold a reserved bit, and the guest gets #PF. */
function reservedBitFault(core: SeamCore, vcpu: Vcpu, exit: ExitRecord): CompletionCode {
  const { state } = vcpu.cpu;
  const user = state.low(S.cpl) === 3 ? ERROR_USER : 0;
  const write = (exit.qualificationLow & QUALIFICATION_WRITE) !== 0 ? ERROR_WRITE : 0;
  const fetch = (exit.qualificationLow & QUALIFICATION_FETCH) !== 0 ? ERROR_FETCH : 0;
  state.set(S.cr2, exit.guestLinearLow, exit.guestLinearHigh);
  injectException(core, vcpu, Vector.PF, ERROR_PRESENT_RESERVED | write | user | fetch, exit.reason);
  return STAY;
}

/** The event whose delivery met the violation is delivered again at the next entry. */
function requeueInterruptedEvent(vcpu: Vcpu, exit: ExitRecord): void {
  const information = exit.idtVectoringInformation;
  if ((information & VALID) === 0) return;
  vcpu.eventQueued = true;
  const errorCodeValid = (information & 0x800) !== 0;
  vcpu.cpu.inject(
    information & 0xff,
    (information >>> 8) & 7,
    errorCodeValid ? exit.idtVectoringErrorCode : undefined,
    exit.instructionLength,
  );
}

/** Where suppress-#VE is clear the guest gets #VE, elsewhere the host an exit. */
function sharedViolation(core: SeamCore, vcpu: Vcpu, exit: ExitRecord, gpa: number, sharedBit: number): CompletionCode {
  const page = vcpu.td.sharedEpt?.lookup(gpa - sharedBit - (gpa % 4096)) ?? 'absent';
  if (page === 'mmio') {
    injectVe(core, vcpu, exit, exit.reason, exit.qualificationLow, gpa, exit.qualificationLow, VeCategory.ARCH);
    return STAY;
  }
  return leaveAsynchronously(
    core,
    vcpu,
    Code.SUCCESS,
    exit.reason,
    exit.qualificationLow & HOST_VISIBLE_QUALIFICATION,
    ExtendedQualification.NONE,
    0,
    gpa,
    0,
  );
}

function privateViolation(
  core: SeamCore,
  vcpu: Vcpu,
  exit: ExitRecord,
  configuration: TdConfiguration,
  gpa: number,
): CompletionCode {
  const sept = configuration.secureEpt;
  const row = sept.walkToLeaf(gpa) ? SEPT_STATES[sept.state]! : undefined;
  let extendedType: number = ExtendedQualification.NONE;
  if (row?.pending === true && !row.blocked) {
    if (!vcpu.td.controls.pendingVeDisable) {
      injectVe(core, vcpu, exit, exit.reason, exit.qualificationLow, gpa, exit.qualificationLow, VeCategory.PENDING);
      return STAY;
    }
    extendedType = ExtendedQualification.PENDING_EPT_VIOLATION;
  }
  return leaveAsynchronously(
    core,
    vcpu,
    Code.SUCCESS,
    exit.reason,
    exit.qualificationLow & HOST_VISIBLE_QUALIFICATION,
    extendedType,
    0,
    gpa,
    0,
  );
}

/**
 * A leaf that changes the page at `gpa` found none that it could change: the TDCALL will be executed again after the host has served
 * the exit. `type` says which leaf it was.
 */
export function leaveForPage(
  core: SeamCore,
  vcpu: Vcpu,
  configuration: TdConfiguration,
  gpa: number,
  asked: PageLevel,
  type: number,
): CompletionCode {
  const sept = configuration.secureEpt;
  const row = SEPT_STATES[sept.state]!;
  const information = asked | (sept.level << 3) | (row.publicState << 6) | (row.leaf ? 1 << 14 : 0);
  return leaveAsynchronously(
    core,
    vcpu,
    Code.SUCCESS,
    ExitReason.EptViolation,
    QUALIFICATION_WRITE | (row.accessible ? QUALIFICATION_PAGE_RWX : 0),
    type,
    information,
    gpa,
    0,
  );
}

/** A leaf that only looks at the page at `gpa` found none: an EPT violation about nothing but the address. */
export function leaveForMissingPage(core: SeamCore, vcpu: Vcpu, gpa: number): CompletionCode {
  return leaveAsynchronously(
    core,
    vcpu,
    Code.SUCCESS,
    ExitReason.EptViolation,
    0,
    ExtendedQualification.NONE,
    0,
    gpa,
    0,
  );
}

/** Results of translateOperand that are no host address. */
export const OPERAND_ILLEGAL = -1;
export const OPERAND_UNAVAILABLE = -2;

/**
 * Host address of a guest operand. OPERAND_ILLEGAL: not an address this operand may have. OPERAND_UNAVAILABLE: the guest got #VE or
 * the TD exits; `core.code` is what the leaf returns then.
 */
export function translateOperand(
  core: SeamCore,
  vcpu: Vcpu,
  configuration: TdConfiguration,
  gpa: number,
  mayBeShared: boolean,
  write: boolean,
): number {
  const { sharedBit } = configuration;
  if (gpa >= sharedBit * 2 || (!mayBeShared && gpa >= sharedBit)) return OPERAND_ILLEGAL;
  const entry = configuration.secondLevel.lookup(gpa);
  if ((entry & (write ? SecondLevel.Write : SecondLevel.Read)) !== 0) return SecondLevel.hpaOf(entry) + (gpa % 4096);
  const { exit } = vcpu.cpu;
  exit.reset(ExitReason.EptViolation);
  exit.guestPhysical = gpa;
  exit.qualificationLow = write ? QUALIFICATION_READ | QUALIFICATION_WRITE : QUALIFICATION_READ;
  core.code = handleEptViolation(core, vcpu, exit, configuration);
  core.leaving = core.code !== STAY;
  return OPERAND_UNAVAILABLE;
}
