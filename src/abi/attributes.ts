/** TD attributes, XFAM and configuration flags. Source: TDX Module 1.5 ABI Definition, "ATTRIBUTES", "XFAM", "CONFIG_FLAGS". */

import { isModule20, type ModuleVersion } from './module-version.ts';

/** ATTRIBUTES: attested, returned by TDG.VP.INFO in RDX. */
export const TdAttribute = {
  DEBUG: 1n << 0n,
  SEPT_VE_DISABLE: 1n << 28n,
  MIGRATABLE: 1n << 29n,
  PKS: 1n << 30n,
  KL: 1n << 31n,
  PERFMON: 1n << 63n,
} as const;

/** Bits TDH.MNG.INIT accepts in module 1.5.01. */
export const TD_ATTRIBUTES_SETTABLE =
  TdAttribute.DEBUG | TdAttribute.SEPT_VE_DISABLE | TdAttribute.MIGRATABLE | TdAttribute.PKS | TdAttribute.PERFMON;

export const Xfam = {
  X87: 1n << 0n,
  SSE: 1n << 1n,
  AVX: 1n << 2n,
  AVX512: 7n << 5n,
  PT: 1n << 8n,
  PKRU: 1n << 9n,
  CET: 3n << 11n,
  UINTR: 1n << 14n,
  LBR: 1n << 15n,
  AMX: 3n << 17n,
} as const;
/** Bits that must be set. */
export const XFAM_REQUIRED = 0x3n;
/** Bits that module 1.5.01 knows. */
export const XFAM_ALLOWED = 0x0006_dbe7n;

export const ConfigFlag = {
  /** 0: 48 bits of guest physical address, 1: 52 bits */
  GPAW: 1n << 0n,
  FLEXIBLE_PENDING_VE: 1n << 1n,
  NO_RBP_MOD: 1n << 2n,
  /** 2.0: CPUID_CONFIG of leaf 0x80000008 may narrow the physical address width */
  MAXPA_VIRT: 1n << 3n,
} as const;
/** Bits that a module knows. */
export function configFlagsKnown(version: ModuleVersion): bigint {
  return isModule20(version) ? 0xfn : 0x7n;
}

/** TD_CTLS bits; from ENUM_TOPOLOGY on: module 2.0. */
export const TdControl = {
  PENDING_VE_DISABLE: 1n << 0n,
  ENUM_TOPOLOGY: 1n << 1n,
  VIRT_CPUID2: 1n << 2n,
  REDUCE_VE: 1n << 3n,
  LOCK: 1n << 63n,
} as const;
