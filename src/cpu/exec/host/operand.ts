/** Operands of instructions that the host side executes. */

import { type Instruction, type Operand, OperandKind, Vector } from '../../../isa/index.ts';
import { addressOf } from '../../effective-address.ts';
import { GuestFault, type Processor } from '../../processor.ts';
import { generalProtection } from '../../segments.ts';
import { S } from '../../state.ts';

/** Reads operand `index` (register, memory or immediate), zero-extended, into cpu.dataLow/dataHigh; returns the low half. */
export function readOperand(cpu: Processor, instruction: Instruction, index: number): number {
  const operand = instruction.operands[index]!;
  if (operand.kind === OperandKind.Memory) {
    addressOf(cpu, instruction);
    return cpu.load(cpu.addressLow, cpu.addressHigh, operand.size >> 3);
  }
  if (operand.kind === OperandKind.Immediate) {
    cpu.dataLow = instruction.immediateLow;
    cpu.dataHigh = instruction.immediateHigh;
    return cpu.dataLow;
  }
  return readGpr(cpu, operand);
}

function readGpr(cpu: Processor, operand: Operand): number {
  const { state } = cpu;
  const { register, size } = operand;
  cpu.dataHigh = 0;
  if (size === 8 && register >= 16) {
    cpu.dataLow = (state.low(S.gpr + (register - 16) * 8) >>> 8) & 0xff;
  } else {
    const row = S.gpr + register * 8;
    const low = state.low(row);
    cpu.dataLow = size === 8 ? low & 0xff : size === 16 ? low & 0xffff : low;
    if (size === 64) cpu.dataHigh = state.high(row);
  }
  return cpu.dataLow;
}

/** Writes operand `index` (register or memory) at its own size. */
export function writeOperand(cpu: Processor, instruction: Instruction, index: number, low: number, high: number): void {
  const operand = instruction.operands[index]!;
  if (operand.kind === OperandKind.Memory) {
    addressOf(cpu, instruction);
    cpu.store(cpu.addressLow, cpu.addressHigh, operand.size >> 3, low, high);
  } else {
    writeGpr(cpu, operand.register, operand.size, low, high);
  }
}

/** Writes a general register: 32 bits clear the upper half, 8 and 16 leave the rest. */
export function writeGpr(cpu: Processor, register: number, sizeBits: number, low: number, high: number): void {
  const { state } = cpu;
  if (sizeBits === 8 && register >= 16) {
    const row = S.gpr + (register - 16) * 8;
    state.setLow(row, (state.low(row) & ~0xff00) | ((low & 0xff) << 8));
    return;
  }
  const row = S.gpr + register * 8;
  if (sizeBits === 64) state.set(row, low, high);
  else if (sizeBits === 32) state.set(row, low, 0);
  else {
    const mask = sizeBits === 16 ? 0xffff : 0xff;
    state.setLow(row, (state.low(row) & ~mask) | (low & mask));
  }
}

/** #GP(0) outside privilege level 0. */
export function requireSupervisor(cpu: Processor): void {
  if (cpu.state.low(S.cpl) !== 0) throw generalProtection(0);
}

export function invalidOpcode(): GuestFault {
  return new GuestFault(Vector.UD);
}

/** The instruction pointer at operand size: the upper bits that a narrower transfer drops. */
export function setInstructionPointer(cpu: Processor, sizeBits: number, low: number, high: number): void {
  if (sizeBits === 64) cpu.state.set(S.rip, low, high);
  else cpu.state.set(S.rip, sizeBits === 32 ? low : low & 0xffff, 0);
}
