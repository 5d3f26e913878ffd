/** Instruction-set features that a processor may lack, under the names that the opcode rows use. Without one its instructions are #UD (TZCNT and LZCNT are BSF and BSR). */
export const OPTIONAL_FEATURES = [
  'ADX',
  'AES',
  'AVX',
  'AVX2',
  'AVX_VNNI',
  'BMI1',
  'BMI2',
  'F16C',
  'FMA',
  'GFNI',
  'LZCNT',
  'MOVBE',
  'PCLMULQDQ',
  'RDPID',
  'RDRAND',
  'SHA',
  'VAES',
  'VPCLMULQDQ',
  'XSAVE',
  'XSAVEC',
  'XSAVEOPT',
  'XSAVES',
] as const;
export type InstructionFeature = (typeof OPTIONAL_FEATURES)[number];

/** A processor without VEX-encoded instructions: what there is unless a CPU profile says otherwise. */
export const BASE_FEATURES: readonly InstructionFeature[] = [
  'ADX',
  'AES',
  'GFNI',
  'MOVBE',
  'PCLMULQDQ',
  'RDPID',
  'RDRAND',
  'SHA',
  'XSAVE',
  'XSAVEC',
  'XSAVEOPT',
  'XSAVES',
];
