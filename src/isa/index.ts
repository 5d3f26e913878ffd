/** What x86-64 is: instructions, their bytes and their text. Knows no state and no behaviour. */

export { Assembler } from './assembler/assembler.ts';
export type { AssemblerOptions } from './assembler/instruction-encoder.ts';
export type { Assembled } from './assembler/labelled-code.ts';
export {
  addressOf,
  type Immediate,
  type LabelAddress,
  type Memory,
  type MemoryParts,
  mem,
  mem8,
  mem16,
  mem32,
  mem64,
  memAt,
} from './assembler/operands.ts';
export { bitNames, Cr0Bit, Cr4Bit, EferBit } from './control-registers.ts';
export { CPUID_FEATURES, type CpuidFeature, type CpuidRegister, cpuidFeature } from './cpuid-features.ts';
export { createInstruction, DecodeResult, Decoder } from './decode.ts';
export { type ExceptionRow, exceptions, pushesErrorCode, Vector, vectorName } from './exceptions.ts';
export { BASE_FEATURES, type InstructionFeature, OPTIONAL_FEATURES } from './features.ts';
export { type FormatOptions, formatInstruction } from './format.ts';
export {
  type Form,
  ImmediateCoding,
  type Instruction,
  type Operand,
  OperandKind,
  Prefix,
  VectorState,
} from './instruction.ts';
export { msrName } from './msrs.ts';
export { gprName, type Register, r, segmentName } from './registers.ts';
export { Rflags, rflagsText } from './rflags.ts';
