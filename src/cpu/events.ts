/** Interrupts and exceptions through the IDT (SDM vol. 3, "Interrupt and Exception Handling"). */
import { Rflags, Vector } from '../isa/index.ts';
import { EventType } from './architecture.ts';
import { ExitReason } from './exit.ts';
import { Gpr } from './gpr.ts';
import type { GuestEvent } from './guest-event.ts';
import { GuestFault, type Processor, VM_EXIT, VmExit } from './processor.ts';
import {
  canonical,
  checkStackSegment,
  type Descriptor,
  descriptorPrivilege,
  finishTransfer,
  generalProtection,
  is64Bit,
  isLongMode,
  isNull,
  markAccessed,
  Rights,
  readDescriptor,
  refreshBases,
  Segment,
  setCodeSegment,
  setFromDescriptor,
  setNull,
} from './segments.ts';
import { S } from './state.ts';

const RSP = S.gpr + Gpr.Rsp * 8;

const GATE_TASK = 0x5;
const GATE_TRAP_BIT = 1;
const GATE_INTERRUPT_16 = 0x6;
const GATE_INTERRUPT_32 = 0xe;
const ERROR_IN_IDT = 2;

const INFORMATION_VALID = 1 << 31;
const INFORMATION_ERROR_CODE = 1 << 11;

/**
 * Delivers an event to the guest. RIP is the instruction's start; software events (types 4 to 6) return to `instructionLength` bytes after it.
 * Faults on the way become the next event, a double fault or a shutdown. #PF: the caller has set CR2.
 * Throws VM_EXIT (triple fault; a second-level violation, with the IDT-vectoring fields filled in; a task gate), and then nothing but memory has changed.
 */
export function deliverEvent(cpu: Processor, first: GuestEvent): void {
  let event = first;
  for (;;) {
    try {
      if (isLongMode(cpu)) deliverLong(cpu, event);
      else deliverProtected(cpu, event);
      cpu.state.setLow(S.interruptShadow, 0);
      return;
    } catch (thrown) {
      if (thrown instanceof VmExit) throw exitDuring(cpu, event);
      if (!(thrown instanceof GuestFault)) throw thrown;
      // The processor takes no #VE while it delivers an event: the violation that would have been one exits.
      if (thrown.vector === Vector.VE) {
        cpu.virtualizationException.valid = false;
        throw exitDuring(cpu, event);
      }
      event = next(cpu, event, thrown);
    }
  }
}

/** Notes the event in the exit record. */
function exitDuring(cpu: Processor, event: GuestEvent): VmExit {
  const { exit } = cpu;
  exit.idtVectoringInformation =
    INFORMATION_VALID | (event.type << 8) | event.vector | (event.errorCode === undefined ? 0 : INFORMATION_ERROR_CODE);
  exit.idtVectoringErrorCode = event.errorCode ?? 0;
  if (isSoftware(event.type)) exit.instructionLength = event.instructionLength;
  return VM_EXIT;
}

function isSoftware(type: number): boolean {
  return type >= EventType.SoftwareInterrupt;
}

function isContributory(vector: number): boolean {
  return vector === Vector.DE || (vector >= Vector.TS && vector <= Vector.GP) || vector === 21;
}

function isPageFaultClass(vector: number): boolean {
  return vector === Vector.PF || vector === Vector.VE;
}

/** The event that follows when `fault` happens while `event` is delivered (SDM, "Conditions for Generating a Double Fault"). */
function next(cpu: Processor, event: GuestEvent, fault: GuestFault): GuestEvent {
  const hardware = event.type === EventType.HardwareException;
  const serious = isContributory(fault.vector) || isPageFaultClass(fault.vector);
  if (hardware && event.vector === Vector.DF && serious) {
    cpu.exit.reset(ExitReason.TripleFault);
    throw VM_EXIT;
  }
  const double =
    hardware &&
    ((isContributory(event.vector) && isContributory(fault.vector)) || (isPageFaultClass(event.vector) && serious));
  return double
    ? { vector: Vector.DF, type: EventType.HardwareException, errorCode: 0, instructionLength: 0 }
    : { vector: fault.vector, type: EventType.HardwareException, errorCode: fault.errorCode, instructionLength: 0 };
}

/** 1 in error codes of faults that no instruction of the program asked for. */
function externalBit(event: GuestEvent): number {
  return event.type === EventType.SoftwareInterrupt || event.type === EventType.SoftwareException ? 0 : 1;
}

/** RFLAGS as the frame holds them: the resume flag is set for faults, so that a code breakpoint does not strike twice. */
function savedFlags(cpu: Processor, event: GuestEvent): number {
  const flags = cpu.readRflags();
  const fault = event.type === EventType.HardwareException && event.vector !== Vector.DB && event.vector !== Vector.DF;
  return fault ? flags | Rflags.RF : flags;
}

/** RFLAGS of the handler; the processor looks anew at its mode. */
function enterFlags(cpu: Processor, saved: number, interruptGate: boolean): void {
  const cleared = Rflags.TF | Rflags.NT | Rflags.RF | Rflags.VM | (interruptGate ? Rflags.IF : 0);
  cpu.writeRflags(saved & ~cleared);
}

/** Upper half of a linear address plus a signed offset. */
function addHigh(low: number, high: number, offset: number): number {
  const carry = (low + offset) >>> 0 < low >>> 0 ? 1 : 0;
  return (high + (offset >> 31) + carry) | 0;
}

/** Stores eight bytes of a stack frame. @param below bytes below the top of the stack */
function storeInFrame(
  cpu: Processor,
  topLow: number,
  topHigh: number,
  below: number,
  valueLow: number,
  valueHigh: number,
  system: boolean,
): void {
  cpu.store((topLow - below) | 0, addHigh(topLow, topHigh, -below), 8, valueLow, valueHigh, system);
}

function checkSoftwareGate(cpu: Processor, event: GuestEvent, gateHigh: number): void {
  const { type, vector } = event;
  if (type !== EventType.SoftwareInterrupt && type !== EventType.SoftwareException) return;
  if (((gateHigh >>> 13) & 3) < cpu.state.low(S.cpl)) throw generalProtection((vector << 3) | ERROR_IN_IDT);
}

/** The handler's code segment. */
function handlerSegment(cpu: Processor, event: GuestEvent, selector: number): Descriptor {
  const external = externalBit(event);
  if (isNull(selector)) throw generalProtection(external);
  const descriptor = readDescriptor(cpu, selector, Vector.GP, external);
  const { rights } = descriptor;
  const errorCode = (selector & 0xfffc) | external;
  const code = Rights.CodeOrData | Rights.Code;
  if ((rights & code) !== code || descriptorPrivilege(rights) > cpu.state.low(S.cpl))
    throw generalProtection(errorCode);
  if ((rights & Rights.Present) === 0) throw new GuestFault(Vector.NP, errorCode);
  return descriptor;
}

function targetPrivilege(cpu: Processor, code: Descriptor): number {
  return (code.rights & Rights.Conforming) !== 0 ? cpu.state.low(S.cpl) : descriptorPrivilege(code.rights);
}

/** IA-32e mode: 16-byte gates, 8-byte pushes, SS:RSP always saved, IST. */
function deliverLong(cpu: Processor, event: GuestEvent): void {
  const { state } = cpu;
  const { vector } = event;
  const external = externalBit(event);
  const idtError = (vector << 3) | ERROR_IN_IDT | external;
  const offset = vector * 16;
  if (offset + 15 > state.low(S.idtrLimit) >>> 0) throw generalProtection(idtError);
  const idtLow = state.low(S.idtrBase);
  const idtHigh = state.high(S.idtrBase);
  const gateLow = cpu.load((idtLow + offset) | 0, addHigh(idtLow, idtHigh, offset), 8, true);
  const gateHigh = cpu.dataHigh;
  const type = (gateHigh >>> 8) & 0x1f;
  if ((type & ~GATE_TRAP_BIT) !== GATE_INTERRUPT_32) throw generalProtection(idtError);
  checkSoftwareGate(cpu, event, gateHigh);
  if ((gateHigh & 0x8000) === 0) throw new GuestFault(Vector.NP, idtError);
  const targetHigh = cpu.load((idtLow + offset + 8) | 0, addHigh(idtLow, idtHigh, offset + 8), 4, true);
  const targetLow = (gateLow & 0xffff) | (gateHigh & 0xffff_0000);

  const selector = gateLow >>> 16;
  const code = handlerSegment(cpu, event, selector);
  if ((code.rights & (Rights.Long | Rights.Big)) !== Rights.Long)
    throw generalProtection((selector & 0xfffc) | external);
  if (!canonical(cpu, targetHigh)) throw generalProtection(external);
  const cpl = state.low(S.cpl);
  const newCpl = targetPrivilege(cpu, code);
  const stackTable = gateHigh & 7;
  let stackLow = state.low(RSP);
  let stackHigh = state.high(RSP);
  if (stackTable !== 0 || newCpl < cpl) {
    const slot = stackTable !== 0 ? 0x1c + stackTable * 8 : 4 + newCpl * 8;
    if (slot + 7 > state.low(S.trLimit) >>> 0)
      throw new GuestFault(Vector.TS, (state.low(S.trSelector) & 0xfffc) | external);
    const trLow = state.low(S.trBase);
    stackLow = cpu.load((trLow + slot) | 0, addHigh(trLow, state.high(S.trBase), slot), 8, true);
    stackHigh = cpu.dataHigh;
    if (!canonical(cpu, stackHigh)) throw new GuestFault(Vector.SS, external);
  }
  stackLow &= ~0xf;

  const flags = savedFlags(cpu, event);
  const returnOffset = isSoftware(event.type) ? event.instructionLength : 0;
  const ripLow = state.low(S.rip);
  const ripHigh = addHigh(ripLow, state.high(S.rip), returnOffset);
  const system = newCpl !== 3;
  storeInFrame(cpu, stackLow, stackHigh, 8, state.low(S.segmentSelector + Segment.Ss * 4), 0, system);
  storeInFrame(cpu, stackLow, stackHigh, 16, state.low(RSP), state.high(RSP), system);
  storeInFrame(cpu, stackLow, stackHigh, 24, flags, 0, system);
  storeInFrame(cpu, stackLow, stackHigh, 32, state.low(S.segmentSelector + Segment.Cs * 4), 0, system);
  storeInFrame(cpu, stackLow, stackHigh, 40, (ripLow + returnOffset) | 0, ripHigh, system);
  if (event.errorCode !== undefined) storeInFrame(cpu, stackLow, stackHigh, 48, event.errorCode, 0, system);
  const frameBytes = event.errorCode === undefined ? 40 : 48;

  const wasLong = is64Bit(cpu);
  setCodeSegment(cpu, selector, code, newCpl);
  if (newCpl < cpl) setNull(cpu, Segment.Ss, newCpl, newCpl);
  if (!wasLong) refreshBases(cpu);
  state.set(RSP, (stackLow - frameBytes) | 0, addHigh(stackLow, stackHigh, -frameBytes));
  state.set(S.rip, targetLow, targetHigh);
  enterFlags(cpu, flags, type === GATE_INTERRUPT_32);
}

/** Protected mode: 8-byte gates, SS:ESP saved when the privilege changes. */
function deliverProtected(cpu: Processor, event: GuestEvent): void {
  const { state } = cpu;
  const { vector } = event;
  const external = externalBit(event);
  const idtError = (vector << 3) | ERROR_IN_IDT | external;
  const offset = vector * 8;
  if (offset + 7 > state.low(S.idtrLimit) >>> 0) throw generalProtection(idtError);
  const gateLow = cpu.load((state.low(S.idtrBase) + offset) | 0, 0, 8, true);
  const gateHigh = cpu.dataHigh;
  const type = (gateHigh >>> 8) & 0x1f;
  const base = type & ~GATE_TRAP_BIT;
  if (type !== GATE_TASK && base !== GATE_INTERRUPT_32 && base !== GATE_INTERRUPT_16) throw generalProtection(idtError);
  checkSoftwareGate(cpu, event, gateHigh);
  if ((gateHigh & 0x8000) === 0) throw new GuestFault(Vector.NP, idtError);
  if (type === GATE_TASK) {
    cpu.exit.reset(ExitReason.TaskSwitch);
    cpu.exit.qualificationLow = (gateLow >>> 16) | (3 << 30);
    throw VM_EXIT;
  }
  const size = base === GATE_INTERRUPT_32 ? 4 : 2;
  const target = size === 4 ? (gateLow & 0xffff) | (gateHigh & 0xffff_0000) : gateLow & 0xffff;

  const selector = gateLow >>> 16;
  const code = handlerSegment(cpu, event, selector);
  const cpl = state.low(S.cpl);
  const newCpl = targetPrivilege(cpu, code);
  const switches = newCpl < cpl;
  let stack = state.low(RSP);
  let stackBase = state.low(S.segmentBase + Segment.Ss * 8);
  let stackRights = state.low(S.segmentRights + Segment.Ss * 4);
  let stackSelector = 0;
  let stackDescriptor: Descriptor | undefined;
  if (switches) {
    const busy32 = (state.low(S.trRights) & 8) !== 0;
    const slot = busy32 ? 4 + newCpl * 8 : 2 + newCpl * 4;
    const trError = (state.low(S.trSelector) & 0xfffc) | external;
    if (slot + (busy32 ? 5 : 3) > state.low(S.trLimit) >>> 0) throw new GuestFault(Vector.TS, trError);
    const tr = state.low(S.trBase);
    stack = cpu.load((tr + slot) | 0, 0, busy32 ? 4 : 2, true);
    stackSelector = cpu.load((tr + slot + (busy32 ? 4 : 2)) | 0, 0, 2, true);
    if (isNull(stackSelector)) throw new GuestFault(Vector.TS, external);
    stackDescriptor = checkStackSegment(cpu, stackSelector, newCpl, Vector.TS, external);
    stackBase = stackDescriptor.baseLow;
    stackRights = stackDescriptor.rights;
  }
  const mask = (stackRights & Rights.Big) !== 0 ? -1 : 0xffff;
  const flags = savedFlags(cpu, event);
  let pointer = stack;
  const push = (value: number): void => {
    pointer = (pointer - size) | 0;
    cpu.store(((pointer & mask) + stackBase) | 0, 0, size, value, 0, newCpl !== 3);
  };
  if (switches) {
    push(state.low(S.segmentSelector + Segment.Ss * 4));
    push(state.low(RSP));
  }
  push(flags);
  push(state.low(S.segmentSelector + Segment.Cs * 4));
  push((state.low(S.rip) + (isSoftware(event.type) ? event.instructionLength : 0)) | 0);
  if (event.errorCode !== undefined) push(event.errorCode);

  if (target >>> 0 > code.limit >>> 0) throw generalProtection(external);
  // Whatever may still fault comes before the first register changes.
  if (stackDescriptor !== undefined) markAccessed(cpu, stackDescriptor);
  setCodeSegment(cpu, selector, code, newCpl);
  if (stackDescriptor !== undefined) setFromDescriptor(cpu, Segment.Ss, stackSelector, stackDescriptor);
  state.set(RSP, mask === -1 ? pointer : (state.low(RSP) & 0xffff_0000) | (pointer & 0xffff), 0);
  state.set(S.rip, target, 0);
  enterFlags(cpu, flags, base === type);
  finishTransfer(cpu);
}
