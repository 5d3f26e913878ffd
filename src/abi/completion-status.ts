/**
 * Completion status: what the module leaves in RAX after a TDCALL or a SEAMCALL. It says whether the mechanism worked.
 * Source: Intel TDX Module 1.5 ABI Definition, "Function Completion Status".
 */
import { hex } from '../bits/index.ts';
import { exitReasonName } from './exit-reasons.ts';
import { OPERAND_NAMES } from './operand-ids.ts';

/** Upper 32 bits of the status: error 31, non-recoverable 30, fatal 29, host recoverability hint 28, class 15:8, detail 7:0. */
export const CompletionCode = {
  SUCCESS: 0x00000000,
  NON_RECOVERABLE_VCPU: 0x40000001,
  NON_RECOVERABLE_TD: 0x60000002,
  INTERRUPTED_RESUMABLE: 0x80000003,
  INTERRUPTED_RESTARTABLE: 0x80000004,
  NON_RECOVERABLE_TD_NON_ACCESSIBLE: 0x60000005,
  INVALID_RESUMPTION: 0xc0000006,
  NON_RECOVERABLE_TD_WRONG_APIC_MODE: 0xe0000007,
  CROSS_TD_FAULT: 0x80000008,
  CROSS_TD_TRAP: 0x90000009,
  NON_RECOVERABLE_TD_CORRUPTED_MD: 0x6000000a,
  OPERAND_INVALID: 0xc0000100,
  OPERAND_ADDR_RANGE_ERROR: 0xc0000101,
  OPERAND_BUSY: 0x80000200,
  PREVIOUS_TLB_EPOCH_BUSY: 0x80000201,
  SYS_BUSY: 0x80000202,
  RND_NO_ENTROPY: 0x80000203,
  OPERAND_BUSY_HOST_PRIORITY: 0x80000204,
  HOST_PRIORITY_BUSY_TIMEOUT: 0x90000205,
  PAGE_METADATA_INCORRECT: 0xc0000300,
  PAGE_ALREADY_FREE: 0x00000301,
  PAGE_NOT_OWNED_BY_TD: 0xc0000302,
  PAGE_NOT_FREE: 0xc0000303,
  TD_ASSOCIATED_PAGES_EXIST: 0xc0000400,
  SYS_INIT_NOT_PENDING: 0xc0000500,
  SYS_LP_INIT_NOT_DONE: 0xc0000502,
  SYS_LP_INIT_DONE: 0xc0000503,
  SYS_NOT_READY: 0xc0000505,
  SYS_SHUTDOWN: 0xc0000506,
  SYS_KEY_CONFIG_NOT_PENDING: 0xc0000507,
  SYS_STATE_INCORRECT: 0xc0000508,
  SYS_INVALID_HANDOFF: 0xc0000509,
  SYS_INCOMPATIBLE_SIGSTRUCT: 0xc000050a,
  SYS_LP_INIT_NOT_PENDING: 0xc000050b,
  SYS_CONFIG_NOT_PENDING: 0xc000050c,
  INCOMPATIBLE_SEAM_CAPABILITIES: 0xc000050d,
  TD_FATAL: 0xe0000604,
  TD_NON_DEBUG: 0xc0000605,
  TDCS_NOT_ALLOCATED: 0xc0000606,
  LIFECYCLE_STATE_INCORRECT: 0xc0000607,
  OP_STATE_INCORRECT: 0xc0000608,
  NO_VCPUS: 0xc0000609,
  TDCX_NUM_INCORRECT: 0xc0000610,
  X2APIC_ID_NOT_UNIQUE: 0xc0000621,
  VCPU_STATE_INCORRECT: 0xc0000700,
  VCPU_ASSOCIATED: 0x80000701,
  VCPU_NOT_ASSOCIATED: 0x80000702,
  NO_VALID_VE_INFO: 0xc0000704,
  MAX_VCPUS_EXCEEDED: 0xc0000705,
  TSC_ROLLBACK: 0xc0000706,
  KEY_GENERATION_FAILED: 0x80000800,
  TD_KEYS_NOT_CONFIGURED: 0x80000810,
  KEY_STATE_INCORRECT: 0xc0000811,
  KEY_CONFIGURED: 0x00000815,
  WBCACHE_NOT_COMPLETE: 0x80000817,
  HKID_NOT_FREE: 0xc0000820,
  NO_HKID_READY_TO_WBCACHE: 0x00000821,
  WBCACHE_RESUME_ERROR: 0xc0000823,
  FLUSHVP_NOT_DONE: 0x80000824,
  NUM_ACTIVATED_HKIDS_NOT_SUPPORTED: 0xc0000825,
  INVALID_TDMR: 0xc0000a00,
  NON_ORDERED_TDMR: 0xc0000a01,
  TDMR_OUTSIDE_CMRS: 0xc0000a02,
  TDMR_ALREADY_INITIALIZED: 0x00000a03,
  INVALID_PAMT: 0xc0000a10,
  PAMT_OUTSIDE_CMRS: 0xc0000a11,
  PAMT_OVERLAP: 0xc0000a12,
  INVALID_RESERVED_IN_TDMR: 0xc0000a20,
  NON_ORDERED_RESERVED_IN_TDMR: 0xc0000a21,
  CMR_LIST_INVALID: 0xc0000a22,
  EPT_WALK_FAILED: 0xc0000b00,
  EPT_ENTRY_FREE: 0xc0000b01,
  EPT_ENTRY_NOT_FREE: 0xc0000b02,
  EPT_ENTRY_NOT_PRESENT: 0xc0000b03,
  EPT_ENTRY_NOT_LEAF: 0xc0000b04,
  EPT_ENTRY_LEAF: 0xc0000b05,
  GPA_RANGE_NOT_BLOCKED: 0xc0000b06,
  GPA_RANGE_ALREADY_BLOCKED: 0x00000b07,
  TLB_TRACKING_NOT_DONE: 0xc0000b08,
  EPT_INVALID_PROMOTE_CONDITIONS: 0xc0000b09,
  PAGE_ALREADY_ACCEPTED: 0x00000b0a,
  PAGE_SIZE_MISMATCH: 0xc0000b0b,
  GPA_RANGE_BLOCKED: 0xc0000b0c,
  EPT_ENTRY_STATE_INCORRECT: 0xc0000b0d,
  EPT_PAGE_NOT_FREE: 0xc0000b0e,
  L2_SEPT_WALK_FAILED: 0xc0000b0f,
  L2_SEPT_ENTRY_NOT_FREE: 0xc0000b10,
  PAGE_ATTR_INVALID: 0xc0000b11,
  L2_SEPT_PAGE_NOT_PROVIDED: 0xc0000b12,
  METADATA_FIELD_ID_INCORRECT: 0xc0000c00,
  METADATA_FIELD_NOT_WRITABLE: 0xc0000c01,
  METADATA_FIELD_NOT_READABLE: 0xc0000c02,
  METADATA_FIELD_VALUE_NOT_VALID: 0xc0000c03,
  METADATA_LIST_OVERFLOW: 0xc0000c04,
  INVALID_METADATA_LIST_HEADER: 0xc0000c05,
  REQUIRED_METADATA_FIELD_MISSING: 0xc0000c06,
  METADATA_ELEMENT_SIZE_INCORRECT: 0xc0000c07,
  METADATA_LAST_ELEMENT_INCORRECT: 0xc0000c08,
  METADATA_FIELD_CURRENTLY_NOT_WRITABLE: 0xc0000c09,
  METADATA_WR_MASK_NOT_VALID: 0xc0000c0a,
  METADATA_FIRST_FIELD_ID_IN_CONTEXT: 0x00000c0b,
  METADATA_FIELD_SKIP: 0x00000c0c,
  SERVTD_ALREADY_BOUND_FOR_TYPE: 0xc0000d00,
  SERVTD_TYPE_MISMATCH: 0xc0000d01,
  SERVTD_ATTR_MISMATCH: 0xc0000d02,
  SERVTD_INFO_HASH_MISMATCH: 0xc0000d03,
  SERVTD_UUID_MISMATCH: 0xc0000d04,
  SERVTD_NOT_BOUND: 0xc0000d05,
  SERVTD_BOUND: 0xc0000d06,
  TARGET_UUID_MISMATCH: 0xc0000d07,
  TARGET_UUID_UPDATED: 0xc0000d08,
  INVALID_CPUSVN: 0xc0001000,
  INVALID_REPORTMACSTRUCT: 0xc0001001,
  L2_EXIT_HOST_ROUTED_ASYNC: 0x00001100,
  L2_EXIT_HOST_ROUTED_TDVMCALL: 0x00001101,
  L2_EXIT_PENDING_INTERRUPT: 0x00001102,
  PENDING_INTERRUPT: 0x00001120,
  TD_EXIT_BEFORE_L2_ENTRY: 0x00001140,
  TD_EXIT_ON_L2_VM_EXIT: 0x00001141,
  TD_EXIT_ON_L2_TO_L1: 0x00001142,
  GLA_NOT_CANONICAL: 0xc0001160,
} as const;
/** Open: a module may return a code that has no name here. */
export type CompletionCode = number;

declare const completionBrand: unique symbol;
/** All 64 bits of RAX. Not assignable to or from a TdvmcallStatus. */
export type CompletionStatus = bigint & { readonly [completionBrand]: 'completion status' };

/** Makes a status of a code and its details (bits 31:0: operand id, page-table level, exit reason). */
export function completionStatus(code: CompletionCode, details = 0): CompletionStatus {
  return ((BigInt(code) << 32n) | BigInt(details >>> 0)) as CompletionStatus;
}

/** Takes RAX for what it is. */
export function asCompletionStatus(rax: bigint): CompletionStatus {
  return rax as CompletionStatus;
}

export function completionCodeOf(status: CompletionStatus): CompletionCode {
  return Number(status >> 32n);
}

export function completionDetailsOf(status: CompletionStatus): number {
  return Number(status & 0xffff_ffffn);
}

/** Bit 63. Codes without it, PAGE_ALREADY_ACCEPTED for one, only inform. */
export function isCompletionError(status: CompletionStatus): boolean {
  return status >> 63n !== 0n;
}

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(CompletionCode).map(([name, code]) => [code, name]));

/** "TDX_OPERAND_INVALID", or the number where the code has no name. */
export function completionCodeName(code: CompletionCode): string {
  const name = NAMES.get(code);
  return name === undefined ? hex(code, 8) : `TDX_${name}`;
}

const CLASS_OPERAND = 0x01;
const CLASS_RESOURCE_BUSY = 0x02;

/** One line for people: the code's name and what its details say. */
export function describeCompletionStatus(status: CompletionStatus): string {
  const code = completionCodeOf(status);
  const details = completionDetailsOf(status);
  const name = completionCodeName(code);
  const classCode = (code >>> 8) & 0xff;
  if (classCode === CLASS_OPERAND || classCode === CLASS_RESOURCE_BUSY)
    return `${name} (${OPERAND_NAMES.get(details) ?? hex(details)})`;
  if (code === CompletionCode.SUCCESS || classCode === 0)
    return details === 0 ? name : `${name}, exit ${exitReasonName(details)}`;
  return details === 0 ? name : `${name} (${hex(details)})`;
}
