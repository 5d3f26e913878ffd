/** The x87 registers as rows of the state: control, status and tag words, the register stack. */

import type { Instruction } from '../../isa/index.ts';
import { OperandKind } from '../../isa/index.ts';
import { addressOf } from '../effective-address.ts';
import { GuestFault, type Processor } from '../processor.ts';
import { S } from '../state.ts';

/** Exception flags; MXCSR and the x87 status word share them, and mask them 7 (MXCSR) or 0 (control word) bits higher. */
export const Exception = {
  Invalid: 1,
  Denormal: 2,
  ZeroDivide: 4,
  Overflow: 8,
  Underflow: 16,
  Precision: 32,
} as const;

/** Status word bits (SDM Vol. 1, "x87 FPU Status Register"). */
export const Status = {
  ExceptionFlags: 0x3f,
  StackFault: 0x40,
  ErrorSummary: 0x80,
  C0: 0x100,
  C1: 0x200,
  C2: 0x400,
  TopShift: 11,
  Top: 0x3800,
  C3: 0x4000,
  Busy: 0x8000,
} as const;

export const Control = { ExceptionMasks: 0x3f, PrecisionShift: 8, RoundingShift: 10 } as const;

const INITIAL_CONTROL_WORD = 0x37f;
/** Bits a control word can hold; bit 6 reads as 1. */
const CONTROL_WORD_BITS = 0x1f3f;
const CONTROL_WORD_ONE = 0x40;

const DEVICE_NOT_AVAILABLE = 7;
const FLOATING_POINT_ERROR = 16;
const CR0_EM = 4;
const CR0_TS = 8;

/** #NM if the operating system has taken the FPU away (CR0.EM or CR0.TS). */
export function requireFpu(cpu: Processor): void {
  if (cpu.state.low(S.cr0) & (CR0_EM | CR0_TS)) throw new GuestFault(DEVICE_NOT_AVAILABLE);
}

/** What every waiting x87 instruction does first: #NM, then #MF for an unmasked exception that is pending. */
export function waitForFpu(cpu: Processor): void {
  requireFpu(cpu);
  raisePending(cpu);
}

export function raisePending(cpu: Processor): void {
  if (cpu.state.low(S.fpuStatus) & Status.ErrorSummary) throw new GuestFault(FLOATING_POINT_ERROR);
}

export function initialise(cpu: Processor): void {
  const { state } = cpu;
  state.setLow(S.fpuControl, INITIAL_CONTROL_WORD);
  state.setLow(S.fpuStatus, 0);
  state.setLow(S.fpuTag, 0);
  state.setLow(S.fpuOpcode, 0);
  state.set(S.fpuIp, 0, 0);
  state.set(S.fpuDp, 0, 0);
}

/** Is everything as FNINIT leaves it, with zeros in the registers? (SDM Vol. 1, "Processor Tracking of XSAVE-Managed State") */
export function isInitial({ state }: Processor): boolean {
  const control = state.low(S.fpuControl) === INITIAL_CONTROL_WORD && state.low(S.fpuStatus) === 0;
  if (!control || state.low(S.fpuTag) !== 0 || state.low(S.fpuOpcode) !== 0) return false;
  for (const row of [S.fpuIp, S.fpuDp]) if (state.low(row) !== 0 || state.high(row) !== 0) return false;
  for (let row = S.fpuRegister; row < S.fpuRegister + 8 * 16; row += 16)
    if (state.low(row) !== 0 || state.high(row) !== 0 || (state.low(row + 8) & 0xffff) !== 0) return false;
  return true;
}

export function setControlWord(cpu: Processor, value: number): void {
  cpu.state.setLow(S.fpuControl, (value & CONTROL_WORD_BITS) | CONTROL_WORD_ONE);
  setStatusWord(cpu, cpu.state.low(S.fpuStatus));
}

/** Sets the status word; error summary and busy follow from its flags and the masks. */
export function setStatusWord(cpu: Processor, value: number): void {
  const unmasked = value & ~cpu.state.low(S.fpuControl) & Status.ExceptionFlags;
  const summary = Status.ErrorSummary | Status.Busy;
  cpu.state.setLow(S.fpuStatus, ((unmasked ? value | summary : value & ~summary) & 0xffff) >>> 0);
}

/** Number of the physical register that is ST(0). */
export function top(cpu: Processor): number {
  return (cpu.state.low(S.fpuStatus) & Status.Top) >> Status.TopShift;
}

export function setTop(cpu: Processor, register: number): void {
  const status = cpu.state.low(S.fpuStatus);
  cpu.state.setLow(S.fpuStatus, (status & ~Status.Top) | ((register & 7) << Status.TopShift));
}

/** Physical register of ST(i). */
export function physical(cpu: Processor, stackIndex: number): number {
  return (top(cpu) + stackIndex) & 7;
}

export function isEmpty(cpu: Processor, stackIndex: number): boolean {
  return ((cpu.state.low(S.fpuTag) >> physical(cpu, stackIndex)) & 1) === 0;
}

export function setEmpty(cpu: Processor, stackIndex: number, empty: boolean): void {
  const bit = 1 << physical(cpu, stackIndex);
  const tag = cpu.state.low(S.fpuTag);
  cpu.state.setLow(S.fpuTag, empty ? tag & ~bit : tag | bit);
}

/** Full tag word: 2 bits a register, 0 valid, 1 zero, 2 special, 3 empty (SDM Vol. 1, "x87 FPU Tag Word"). */
export function fullTagWord(cpu: Processor): number {
  const valid = cpu.state.low(S.fpuTag);
  let word = 0;
  for (let register = 0; register < 8; register++) {
    const row = S.fpuRegister + 16 * register;
    const exponent = cpu.state.low(row + 8) & 0x7fff;
    const low = cpu.state.low(row);
    const high = cpu.state.high(row);
    let tag = 2;
    if (((valid >> register) & 1) === 0) tag = 3;
    else if (exponent === 0 && low === 0 && high === 0) tag = 1;
    else if (exponent !== 0 && exponent !== 0x7fff && high < 0) tag = 0;
    word |= tag << (2 * register);
  }
  return word;
}

export function setFullTagWord(cpu: Processor, word: number): void {
  let valid = 0;
  for (let register = 0; register < 8; register++) if (((word >> (2 * register)) & 3) !== 3) valid |= 1 << register;
  cpu.state.setLow(S.fpuTag, valid);
}

/** Remembers where the last x87 instruction that was not a control instruction stood, and what memory it named. */
export function rememberInstruction(cpu: Processor, instruction: Instruction): void {
  cpu.state.set(S.fpuIp, cpu.instructionStartLow, cpu.instructionStartHigh);
  for (let i = 0; i < instruction.operandCount; i++) {
    if (instruction.operands[i as 0 | 1 | 2 | 3].kind !== OperandKind.Memory) continue;
    addressOf(cpu, instruction);
    cpu.state.set(S.fpuDp, cpu.addressLow, cpu.addressHigh);
  }
}
