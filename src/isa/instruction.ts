/** What the decoder produces: one instruction, its row and its operands. No state, no behaviour. */

/** Where an operand lives. */
export const OperandKind = {
  /** general register: `register` 0-15 (RAX..R15); with size 8, 16-19 are AH, CH, DH, BH */
  Gpr: 1,
  /** the ModRM (or implicit string/moffs) memory operand, described by the instruction's base/index/scale/displacement/segment */
  Memory: 2,
  /** immediateLow/immediateHigh, already extended to the operand's size */
  Immediate: 3,
  /** relative branch target: immediateLow = signed displacement from the next instruction */
  Relative: 4,
  /** far pointer: offset in immediateLow, selector in immediate2 */
  FarPointer: 5,
  /** ES, CS, SS, DS, FS, GS as 0-5 */
  Segment: 6,
  Control: 7,
  Debug: 8,
  Xmm: 9,
  Mmx: 10,
  /** ST(i) */
  X87: 11,
  Ymm: 12,
} as const;
export type OperandKind = (typeof OperandKind)[keyof typeof OperandKind];

export interface Operand {
  kind: OperandKind;
  /** bits: 8, 16, 32, 64, 80, 128 ...; 0 where size has no meaning (LEA's memory operand, INVLPG, FXSAVE) */
  size: number;
  register: number;
}

/** The state component that an instruction uses, which system software may have switched off. */
export const VectorState = { None: 0, Sse: 1, Avx: 2 } as const;
export type VectorState = (typeof VectorState)[keyof typeof VectorState];

export const Prefix = { Lock: 1, Rep: 2, RepNe: 4, OperandSize: 8, AddressSize: 16 } as const;

/** How the bytes of an instruction's immediate become `immediateLow` and `immediateHigh`. */
export const ImmediateCoding = {
  /** there are none */
  None: 0,
  /** one byte, zero-extended */
  Byte: 1,
  /** two bytes, zero-extended */
  Word: 2,
  /** one byte, sign-extended to 64 bits */
  SignedByte: 3,
  /** one byte, sign-extended to 16 bits */
  SignedByteTo16: 4,
  /** four bytes, sign-extended to 64 bits */
  SignedDoubleword: 5,
  /** eight bytes */
  Quadword: 6,
  /** another way, or two immediates */
  Other: 7,
} as const;
export type ImmediateCoding = (typeof ImmediateCoding)[keyof typeof ImmediateCoding];

/** One line of the opcode tables. */
export interface Form {
  /** dense number, for side tables */
  readonly id: number;
  /** SDM mnemonic, e.g. "ADD", "JNE", "MOVSB", "CVTSI2SD" */
  readonly mnemonic: string;
  /** name of the semantic function: the mnemonic, except families: "Jcc", "SETcc", "CMOVcc", and string ops without size ("MOVS") */
  readonly operation: string;
  /** condition number 0-15 of Jcc/SETcc/CMOVcc (opcode bits 3:0), else -1 */
  readonly condition: number;
  /** CPUID features that bring it, e.g. "SSE2", "AES+AVX"; "" for the base set */
  readonly feature: string;
  /** encoded with a VEX prefix */
  readonly vex: boolean;
  readonly vectorState: VectorState;
}

/** The decoder fills one object again and again; copy what you keep. */
export interface Instruction {
  form: Form;
  /** equal in instructions of one form whose operands have the same sizes and kinds, register or memory; 0: no decoder made it */
  shape: number;
  length: number;
  /** code segment mode: 16, 32 or 64 */
  mode: number;
  /** effective operand size in bits: 16, 32 or 64 (8-bit forms carry it in their operands) */
  operandSize: number;
  /** effective address size in bits */
  addressSize: number;
  /** bits of `Prefix` as they act on this instruction (mandatory SSE prefixes are not reported as Rep/OperandSize) */
  prefixes: number;
  /** segment of the memory operand (0-5 = ES, CS, SS, DS, FS, GS), defaults resolved */
  segment: number;
  /** base register 0-15, -1 none, 16 = RIP of the next instruction */
  base: number;
  /** index register 0-15, -1 none */
  index: number;
  /** bits of the vector register that is the index (gathers); 0: a general register is */
  vectorIndex: number;
  /** log2 of the scale, 0-3 */
  scaleShift: number;
  /** signed 32-bit displacement; for 64-bit moffs the low half */
  displacement: number;
  /** sign extension of `displacement`; for 64-bit moffs the high half */
  displacementHigh: number;
  /** 0, 1, 2 or 4 bytes behind ModRM and SIB hold the displacement; a moffs counts as an immediate coded in another way */
  displacementBytes: number;
  immediateLow: number;
  immediateHigh: number;
  immediateCoding: ImmediateCoding;
  /** second immediate (ENTER's level, far selector, SSE4a) */
  immediate2: number;
  operandCount: number;
  /** four slots, `operandCount` of them valid, destination first as the SDM writes them; implicit operands (AL, CL, 1) are listed where the SDM lists them */
  readonly operands: readonly [Operand, Operand, Operand, Operand];
}
