/** Memory operands of x87 instructions, and the frame every x87 instruction runs in. */

import type { Instruction } from '../../isa/index.ts';
import { OperandKind } from '../../isa/index.ts';
import { addressOf } from '../effective-address.ts';
import { DOUBLE, type FloatValue, type Format, fromInt, SINGLE, unpack } from '../fpu/format.ts';
import { RegisterStack } from '../fpu/register-stack.ts';
import { rememberInstruction, waitForFpu } from '../fpu/x87-state.ts';
import type { Processor } from '../processor.ts';
import type { Operation } from './sem.ts';

export type StackBody = (stack: RegisterStack, instruction: Instruction, cpu: Processor) => void;

/** An x87 instruction that waits for pending exceptions and leaves its address behind. */
export function x87(body: StackBody): Operation {
  return {
    host: (cpu, instruction) => {
      waitForFpu(cpu);
      body(new RegisterStack(cpu), instruction, cpu);
      rememberInstruction(cpu, instruction);
    },
  };
}

export const hasMemory = (instruction: Instruction): boolean =>
  instruction.operandCount > 0 && instruction.operands[0].kind === OperandKind.Memory;

/** The memory operand as an unsigned integer of its size (16 to 80 bits). */
export function loadBits(cpu: Processor, instruction: Instruction, bits = instruction.operands[0].size): bigint {
  addressOf(cpu, instruction);
  const low = BigInt(cpu.load(cpu.addressLow, cpu.addressHigh, Math.min(bits, 64) / 8) >>> 0);
  const whole = bits > 32 ? low | (BigInt(cpu.dataHigh >>> 0) << 32n) : low;
  if (bits <= 64) return whole;
  addressOf(cpu, instruction, 8);
  return whole | (BigInt(cpu.load(cpu.addressLow, cpu.addressHigh, 2) & 0xffff) << 64n);
}

export function storeBits(cpu: Processor, instruction: Instruction, bits: number, value: bigint): void {
  const bytes = new Uint8Array(bits / 8);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 0xffn);
  addressOf(cpu, instruction);
  cpu.storeBytes(cpu.addressLow, cpu.addressHigh, bytes);
}

export const formatOfSize = (bits: number): Format => (bits === 32 ? SINGLE : DOUBLE);

/** Floating-point memory operand of 32 or 64 bits. */
export function loadFloat(cpu: Processor, instruction: Instruction): FloatValue {
  return unpack(loadBits(cpu, instruction), formatOfSize(instruction.operands[0].size));
}

/** Signed integer memory operand of 16, 32 or 64 bits; every one is exact in the extended format. */
export function loadInteger(cpu: Processor, instruction: Instruction): FloatValue {
  return fromInt(BigInt.asIntN(instruction.operands[0].size, loadBits(cpu, instruction)));
}
