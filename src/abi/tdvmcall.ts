/**
 * TDVMCALL: what a TD asks of the VMM through TDG.VP.VMCALL. R11 names the sub-function, R10 brings the status back.
 * Source: Guest-Host Communication Interface (GHCI) for Intel TDX 1.5, "TDCALL Instruction Leaf 0: TDG.VP.VMCALL".
 */
import { hex } from '../bits/index.ts';

/** R11 when R10 = 0. */
export const TdvmcallLeaf = {
  INSTRUCTION_CPUID: 0x0a,
  INSTRUCTION_HLT: 0x0c,
  INSTRUCTION_IO: 0x1e,
  INSTRUCTION_RDMSR: 0x1f,
  INSTRUCTION_WRMSR: 0x20,
  REQUEST_MMIO: 0x30,
  INSTRUCTION_WBINVD: 0x36,
  INSTRUCTION_PCONFIG: 0x41,
  GET_TD_VM_CALL_INFO: 0x10000,
  MAP_GPA: 0x10001,
  GET_QUOTE: 0x10002,
  REPORT_FATAL_ERROR: 0x10003,
  SETUP_EVENT_NOTIFY_INTERRUPT: 0x10004,
  SERVICE: 0x10005,
  MIG_TD: 0x10006,
} as const;
export type TdvmcallLeaf = number;

export const TDVMCALL_LEAF_NAMES: ReadonlyMap<number, string> = new Map([
  [0x0a, 'Instruction.CPUID'],
  [0x0c, 'Instruction.HLT'],
  [0x1e, 'Instruction.IO'],
  [0x1f, 'Instruction.RDMSR'],
  [0x20, 'Instruction.WRMSR'],
  [0x30, '#VE.RequestMMIO'],
  [0x36, 'Instruction.WBINVD'],
  [0x41, 'Instruction.PCONFIG'],
  [0x10000, 'GetTdVmCallInfo'],
  [0x10001, 'MapGPA'],
  [0x10002, 'GetQuote'],
  [0x10003, 'ReportFatalError'],
  [0x10004, 'SetupEventNotifyInterrupt'],
  [0x10005, 'Service'],
  [0x10006, 'MigTD'],
]);

export function tdvmcallLeafName(leaf: number): string {
  return TDVMCALL_LEAF_NAMES.get(leaf) ?? hex(leaf);
}

declare const tdvmcallBrand: unique symbol;
/** All 64 bits of R10 after a TDVMCALL: whether the service worked. Not assignable to or from a CompletionStatus. */
export type TdvmcallStatus = bigint & { readonly [tdvmcallBrand]: 'tdvmcall status' };

/** R10. Source: GHCI, "TDG.VP.VMCALL Status Codes". */
export const TdvmcallStatus = {
  SUCCESS: 0n as TdvmcallStatus,
  RETRY: 1n as TdvmcallStatus,
  INVALID_OPERAND: 0x8000_0000_0000_0000n as TdvmcallStatus,
  GPA_INUSE: 0x8000_0000_0000_0001n as TdvmcallStatus,
  ALIGN_ERROR: 0x8000_0000_0000_0002n as TdvmcallStatus,
  SUBFUNC_UNSUPPORTED: 0x8000_0000_0000_0003n as TdvmcallStatus,
} as const;

const STATUS_NAMES: ReadonlyMap<bigint, string> = new Map(
  Object.entries(TdvmcallStatus).map(([name, status]) => [status, name]),
);

/** Takes R10 for what it is. */
export function asTdvmcallStatus(r10: bigint): TdvmcallStatus {
  return r10 as TdvmcallStatus;
}

export function tdvmcallStatusName(status: TdvmcallStatus): string {
  return STATUS_NAMES.get(status) ?? hex(status);
}
