/** Operand ids in DETAILS_L2 of OPERAND_INVALID and OPERAND_BUSY. Source: TDX Module 1.5 ABI Definition, "Function Completion Status Operand IDs". */
export const OperandId = {
  RAX: 0, RCX: 1, RDX: 2, RBX: 3, RSP: 4, RBP: 5, RSI: 6, RDI: 7,
  R8: 8, R9: 9, R10: 10, R11: 11, R12: 12, R13: 13, R14: 14, R15: 15,
  ATTRIBUTES: 64,
  XFAM: 65,
  EXEC_CONTROLS: 66,
  EPTP_CONTROLS: 67,
  MAX_VCPUS: 68,
  CPUID_CONFIG: 69,
  TSC_FREQUENCY: 70,
  NUM_L2_VMS: 71,
  TDR: 128,
  TDCX: 129,
  TDVPR: 130,
  TDCS: 144,
  TDVPS: 145,
  SEPT_TREE: 146,
  SEPT_ENTRY: 147,
  RTMR: 168,
  TD_EPOCH: 169,
  L2_VAPIC_GPA: 170,
  SERVTD_BINDINGS: 174,
  METADATA_FIELD: 176,
} as const;
export type OperandId = number;

export const OPERAND_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(OperandId).map(([name, id]) => [id, name]));
