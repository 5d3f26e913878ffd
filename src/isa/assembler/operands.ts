/** What instructions of the assembler take: registers (`../registers.ts`), memory, immediates, addresses of labels. */
import type { Register } from '../registers.ts';

/** The address of a label, as an immediate or as data. */
export interface LabelAddress {
  readonly label: string;
  readonly addend: number;
}

export type Immediate = number | bigint | LabelAddress;

export interface Memory {
  /** bits of the operand, 0 where the instruction or the register says it */
  readonly size: number;
  readonly base: Register | null;
  readonly index: Register | null;
  readonly scale: 1 | 2 | 4 | 8;
  readonly displacement: number;
  /** label whose address is added: RIP-relative in 64-bit code */
  readonly label: string | null;
  readonly segment: Register | null;
}

export interface MemoryParts {
  readonly index?: Register;
  readonly scale?: 1 | 2 | 4 | 8;
  readonly segment?: Register;
}

/** An operand that a ModRM byte can name. */
export type ModrmOperand = Register | Memory;

function memory(size: number, base: Register | null, displacement: number, parts: MemoryParts): Memory {
  const { index = null, scale = 1, segment = null } = parts;
  return { size, base, index, scale, displacement, label: null, segment };
}

/** `[base + index * scale + displacement]` without a size: the other operand has it. `null` base: absolute (sign-extended 32 bits). */
export const mem = (base: Register | null, displacement = 0, parts: MemoryParts = {}) =>
  memory(0, base, displacement, parts);
export const mem8 = (base: Register | null, displacement = 0, parts: MemoryParts = {}) =>
  memory(8, base, displacement, parts);
export const mem16 = (base: Register | null, displacement = 0, parts: MemoryParts = {}) =>
  memory(16, base, displacement, parts);
export const mem32 = (base: Register | null, displacement = 0, parts: MemoryParts = {}) =>
  memory(32, base, displacement, parts);
export const mem64 = (base: Register | null, displacement = 0, parts: MemoryParts = {}) =>
  memory(64, base, displacement, parts);

/** Memory at a label: RIP-relative in 64-bit code, absolute in 32-bit code. `size` in bits, 0 if the other operand has it. */
export function memAt(label: string, displacement = 0, size = 0): Memory {
  return { size, base: null, index: null, scale: 1, displacement, label, segment: null };
}

/** The address of a label plus `addend`, as an immediate or as data. */
export function addressOf(label: string, addend = 0): LabelAddress {
  return { label, addend };
}

export const isRegister = (operand: unknown): operand is Register =>
  typeof operand === 'object' && operand !== null && 'file' in operand;
export const isMemory = (operand: unknown): operand is Memory =>
  typeof operand === 'object' && operand !== null && 'displacement' in operand;
export const isLabel = (operand: Immediate): operand is LabelAddress => typeof operand === 'object';

/** Bits of an operand that has to say them itself. */
export function sizeOf(operand: ModrmOperand): number {
  if (operand.size === 0) throw new Error('the size of a memory operand is missing: use mem8, mem16, mem32 or mem64');
  return operand.size;
}

/** Bytes of an immediate beside an operand: it is sign-extended to 64 bits. */
export const immediateBytesOf = (size: number): number => Math.min(size / 8, 4);

export function fitsSigned(value: number | bigint, bytes: number): boolean {
  const half = 2 ** (bytes * 8 - 1);
  return value >= -half && value < half;
}
