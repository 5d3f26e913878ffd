/** x87 instructions that compute nothing: initialisation, control and status words, environments, stack management. */

import type { Instruction } from '../../isa/index.ts';
import { OperandKind } from '../../isa/index.ts';
import { addressOf } from '../effective-address.ts';
import {
  fullTagWord,
  initialise,
  raisePending,
  requireFpu,
  Status,
  setControlWord,
  setEmpty,
  setFullTagWord,
  setStatusWord,
  setTop,
  top,
  waitForFpu,
} from '../fpu/x87-state.ts';
import { GuestFault, type HostOperation, type Processor } from '../processor.ts';
import { S } from '../state.ts';
import type { OperationTable } from './sem.ts';

const DEVICE_NOT_AVAILABLE = 7;
const CR0_MP_AND_TS = 0xa;
const EXCEPTION_MASKS = 0x3f;

const storeWord = (cpu: Processor, instruction: Instruction, value: number): void => {
  const target = instruction.operands[0];
  if (instruction.operandCount === 0 || target.kind === OperandKind.Gpr) {
    const register = S.gpr + 8 * (instruction.operandCount === 0 ? 0 : target.register);
    cpu.state.setLow(register, (cpu.state.low(register) & ~0xffff) | (value & 0xffff));
    return;
  }
  addressOf(cpu, instruction);
  cpu.store(cpu.addressLow, cpu.addressHigh, 2, value & 0xffff, 0);
};

const fldcw: HostOperation = (cpu, instruction) => {
  waitForFpu(cpu);
  addressOf(cpu, instruction);
  setControlWord(cpu, cpu.load(cpu.addressLow, cpu.addressHigh, 2));
};

const fwait: HostOperation = (cpu) => {
  if ((cpu.state.low(S.cr0) & CR0_MP_AND_TS) === CR0_MP_AND_TS) throw new GuestFault(DEVICE_NOT_AVAILABLE);
  raisePending(cpu);
};

const fnclex: HostOperation = (cpu) => {
  requireFpu(cpu);
  const cleared = Status.ExceptionFlags | Status.StackFault | Status.ErrorSummary | Status.Busy;
  cpu.state.setLow(S.fpuStatus, cpu.state.low(S.fpuStatus) & ~cleared);
};

/** Environment of 14 or 28 bytes (SDM Vol. 1, "Saving the x87 FPU's State with FSTENV/FNSTENV and FSAVE/FNSAVE"), protected-mode format; the deprecated selectors are 0. */
const ENVIRONMENT_BYTES = { 16: 14, 32: 28 } as const;
const REGISTERS_BYTES = 80;

const environmentBytes = (instruction: Instruction): 14 | 28 =>
  ENVIRONMENT_BYTES[instruction.operandSize === 16 ? 16 : 32];

function environmentImage(cpu: Processor, view: DataView, length: 14 | 28): void {
  const { state } = cpu;
  if (length === 14) {
    const words = [state.low(S.fpuControl), state.low(S.fpuStatus), fullTagWord(cpu), state.low(S.fpuIp), 0];
    for (const [i, word] of [...words, state.low(S.fpuDp), 0].entries()) view.setUint16(2 * i, word & 0xffff, true);
    return;
  }
  const words = [state.low(S.fpuControl), state.low(S.fpuStatus), fullTagWord(cpu)];
  for (const [i, word] of words.entries()) view.setUint32(4 * i, (word & 0xffff) | 0xffff_0000, true);
  view.setInt32(12, state.low(S.fpuIp), true);
  view.setInt32(16, (state.low(S.fpuOpcode) & 0x7ff) << 16, true);
  view.setInt32(20, state.low(S.fpuDp), true);
  view.setUint32(24, 0xffff_0000, true);
}

function loadEnvironment(cpu: Processor, view: DataView, length: 14 | 28): void {
  const step = length === 14 ? 2 : 4;
  const word = (i: number): number => view.getUint16(step * i, true);
  setControlWord(cpu, word(0));
  setStatusWord(cpu, word(1));
  setFullTagWord(cpu, word(2));
  const pointer = (i: number): number => (length === 14 ? word(i) : view.getInt32(4 * i, true));
  cpu.state.set(S.fpuIp, pointer(3), 0);
  cpu.state.set(S.fpuDp, pointer(5), 0);
  if (length === 28) cpu.state.setLow(S.fpuOpcode, view.getUint16(18, true) & 0x7ff);
}

const fnstenv: HostOperation = (cpu, instruction) => {
  requireFpu(cpu);
  const length = environmentBytes(instruction);
  const bytes = new Uint8Array(length);
  environmentImage(cpu, new DataView(bytes.buffer), length);
  addressOf(cpu, instruction);
  cpu.storeBytes(cpu.addressLow, cpu.addressHigh, bytes);
  cpu.state.setLow(S.fpuControl, cpu.state.low(S.fpuControl) | EXCEPTION_MASKS);
  setStatusWord(cpu, cpu.state.low(S.fpuStatus));
};

const fldenv: HostOperation = (cpu, instruction) => {
  waitForFpu(cpu);
  const length = environmentBytes(instruction);
  const bytes = new Uint8Array(length);
  addressOf(cpu, instruction);
  cpu.loadBytes(cpu.addressLow, cpu.addressHigh, bytes);
  loadEnvironment(cpu, new DataView(bytes.buffer), length);
};

const fnsave: HostOperation = (cpu, instruction) => {
  requireFpu(cpu);
  const length = environmentBytes(instruction);
  const bytes = new Uint8Array(length + REGISTERS_BYTES);
  const view = new DataView(bytes.buffer);
  environmentImage(cpu, view, length);
  for (let i = 0; i < 8; i++) {
    const row = S.fpuRegister + 16 * ((top(cpu) + i) & 7);
    view.setInt32(length + 10 * i, cpu.state.low(row), true);
    view.setInt32(length + 10 * i + 4, cpu.state.high(row), true);
    view.setUint16(length + 10 * i + 8, cpu.state.low(row + 8) & 0xffff, true);
  }
  addressOf(cpu, instruction);
  cpu.storeBytes(cpu.addressLow, cpu.addressHigh, bytes);
  initialise(cpu);
};

const frstor: HostOperation = (cpu, instruction) => {
  waitForFpu(cpu);
  const length = environmentBytes(instruction);
  const bytes = new Uint8Array(length + REGISTERS_BYTES);
  addressOf(cpu, instruction);
  cpu.loadBytes(cpu.addressLow, cpu.addressHigh, bytes);
  const view = new DataView(bytes.buffer);
  loadEnvironment(cpu, view, length);
  for (let i = 0; i < 8; i++) {
    const row = S.fpuRegister + 16 * ((top(cpu) + i) & 7);
    cpu.state.set(row, view.getInt32(length + 10 * i, true), view.getInt32(length + 10 * i + 4, true));
    cpu.state.setLow(row + 8, view.getUint16(length + 10 * i + 8, true));
  }
};

const moveTop =
  (step: number): HostOperation =>
  (cpu) => {
    waitForFpu(cpu);
    setTop(cpu, top(cpu) + step);
    cpu.state.setLow(S.fpuStatus, cpu.state.low(S.fpuStatus) & ~Status.C1);
  };

const free =
  (pops: boolean): HostOperation =>
  (cpu, instruction) => {
    waitForFpu(cpu);
    setEmpty(cpu, instruction.operands[0].register, true);
    if (pops) {
      setEmpty(cpu, 0, true);
      setTop(cpu, top(cpu) + 1);
    }
    cpu.state.setLow(S.fpuStatus, cpu.state.low(S.fpuStatus) & ~Status.C1);
  };

const wordFrom =
  (offset: number): HostOperation =>
  (cpu, instruction) => {
    requireFpu(cpu);
    storeWord(cpu, instruction, cpu.state.low(offset));
  };

const clearAll: HostOperation = (cpu) => {
  requireFpu(cpu);
  initialise(cpu);
};

export const x87ControlOperations: OperationTable = {
  FNINIT: { host: clearAll },
  FNCLEX: { host: fnclex },
  FLDCW: { host: fldcw },
  FNSTCW: { host: wordFrom(S.fpuControl) },
  FNSTSW: { host: wordFrom(S.fpuStatus) },
  FNSTENV: { host: fnstenv },
  FLDENV: { host: fldenv },
  FNSAVE: { host: fnsave },
  FRSTOR: { host: frstor },
  FWAIT: { host: fwait },
  FNOP: { host: waitForFpu },
  FINCSTP: { host: moveTop(1) },
  FDECSTP: { host: moveTop(-1) },
  FFREE: { host: free(false) },
  FFREEP: { host: free(true) },
};
