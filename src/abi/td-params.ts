/** TD_PARAMS: the 1024 bytes that TDH.MNG.INIT reads. Source: TDX Module 1.5 ABI Definition, "TD_PARAMS". */

import { isModule20, type ModuleVersion } from './module-version.ts';

export const TD_PARAMS_BYTES = 1024;

/** Byte offsets of the fields. */
export const TD_PARAMS_LAYOUT = {
  attributes: 0,
  xfam: 8,
  maxVcpus: 16,
  numL2Vms: 18,
  msrConfigCtls: 19,
  eptpControls: 24,
  configFlags: 32,
  tscFrequency: 40,
  mrConfigId: 80,
  mrOwner: 128,
  mrOwnerConfig: 176,
  ia32ArchCapabilitiesConfig: 224,
  cpuidConfig: 256,
} as const;

/** Byte ranges [start, end) that must be zero. */
export const TD_PARAMS_RESERVED: readonly (readonly [number, number])[] = [
  [20, 24],
  [42, 80],
  [232, 256],
];

/** A leaf that CPUID_CONFIG configures; sub-leaf -1: it has none. */
export type CpuidConfigLeaf = readonly [leaf: number, subleaf: number];

/** The leaves that CPUID_CONFIG configures, in the order of module 1.5.01. */
export const CPUID_CONFIG_ORDER: readonly CpuidConfigLeaf[] = [
  [1, -1],
  [4, 0],
  [4, 1],
  [4, 2],
  [4, 3],
  [7, 0],
  [7, 1],
  [0xa, -1],
  [0x1c, -1],
  [0x8000_0008, -1],
  [7, 2],
  [0x23, 0],
];

/** Those that module 2.0 configures: topology, Key Locker and native model information follow. */
const CPUID_CONFIG_ORDER_2_0: readonly CpuidConfigLeaf[] = [
  ...CPUID_CONFIG_ORDER,
  ...Array.from({ length: 6 }, (_, subleaf): CpuidConfigLeaf => [0x1f, subleaf]),
  [0x19, -1],
  ...Array.from({ length: 9 }, (_, subleaf): CpuidConfigLeaf => [0x18, subleaf]),
];

export function cpuidConfigOrder(version: ModuleVersion): readonly CpuidConfigLeaf[] {
  return isModule20(version) ? CPUID_CONFIG_ORDER_2_0 : CPUID_CONFIG_ORDER;
}

/** Entries of CPUID_CONFIG there is room for. */
export const CPUID_CONFIG_ENTRIES = 48;

export interface CpuidConfigValue {
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

export interface TdParams {
  readonly attributes: bigint;
  readonly xfam: bigint;
  readonly maxVcpus: number;
  readonly numL2Vms: number;
  /** bit 0: ia32ArchCapabilitiesConfig is to be used */
  readonly msrConfigCtls: number;
  /** bits 2:0 memory type (6), 5:3 levels - 1 (3 or 4) */
  readonly eptpControls: bigint;
  readonly configFlags: bigint;
  /** units of 25 MHz, 4 to 400 */
  readonly tscFrequency25Mhz: number;
  /** 48 bytes each */
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  readonly ia32ArchCapabilitiesConfig: bigint;
  /** positional, by cpuidConfigOrder */
  readonly cpuidConfig: readonly CpuidConfigValue[];
}

export const EPTP_CONTROLS_4_LEVELS = 0x1en;
export const EPTP_CONTROLS_5_LEVELS = 0x26n;

const L = TD_PARAMS_LAYOUT;

/** Lays TD_PARAMS out. What is not given is: no attribute but those named, x87 and SSE, one vCPU, GPAW 48, 4 levels, 1 GHz, zero identities. */
export function buildTdParams(params: Partial<TdParams>): Uint8Array {
  const bytes = new Uint8Array(TD_PARAMS_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(L.attributes, params.attributes ?? 0n, true);
  view.setBigUint64(L.xfam, params.xfam ?? 3n, true);
  view.setUint16(L.maxVcpus, params.maxVcpus ?? 1, true);
  view.setUint8(L.numL2Vms, params.numL2Vms ?? 0);
  view.setUint8(L.msrConfigCtls, params.msrConfigCtls ?? 0);
  view.setBigUint64(L.eptpControls, params.eptpControls ?? EPTP_CONTROLS_4_LEVELS, true);
  view.setBigUint64(L.configFlags, params.configFlags ?? 0n, true);
  view.setUint16(L.tscFrequency, params.tscFrequency25Mhz ?? 40, true);
  if (params.mrConfigId !== undefined) bytes.set(params.mrConfigId.subarray(0, 48), L.mrConfigId);
  if (params.mrOwner !== undefined) bytes.set(params.mrOwner.subarray(0, 48), L.mrOwner);
  if (params.mrOwnerConfig !== undefined) bytes.set(params.mrOwnerConfig.subarray(0, 48), L.mrOwnerConfig);
  view.setBigUint64(L.ia32ArchCapabilitiesConfig, params.ia32ArchCapabilitiesConfig ?? 0n, true);
  (params.cpuidConfig ?? []).slice(0, CPUID_CONFIG_ENTRIES).forEach((value, index) => {
    const at = L.cpuidConfig + index * 16;
    view.setUint32(at, value.eax, true);
    view.setUint32(at + 4, value.ebx, true);
    view.setUint32(at + 8, value.ecx, true);
    view.setUint32(at + 12, value.edx, true);
  });
  return bytes;
}

/** Reads the fields; whether their values are legal is for TDH.MNG.INIT to say. */
export function parseTdParams(bytes: Uint8Array): TdParams {
  const view = new DataView(bytes.buffer, bytes.byteOffset, TD_PARAMS_BYTES);
  const cpuidConfig = Array.from({ length: CPUID_CONFIG_ENTRIES }, (_, index): CpuidConfigValue => {
    const at = L.cpuidConfig + index * 16;
    return {
      eax: view.getUint32(at, true),
      ebx: view.getUint32(at + 4, true),
      ecx: view.getUint32(at + 8, true),
      edx: view.getUint32(at + 12, true),
    };
  });
  return {
    attributes: view.getBigUint64(L.attributes, true),
    xfam: view.getBigUint64(L.xfam, true),
    maxVcpus: view.getUint16(L.maxVcpus, true),
    numL2Vms: view.getUint8(L.numL2Vms),
    msrConfigCtls: view.getUint8(L.msrConfigCtls),
    eptpControls: view.getBigUint64(L.eptpControls, true),
    configFlags: view.getBigUint64(L.configFlags, true),
    tscFrequency25Mhz: view.getUint16(L.tscFrequency, true),
    mrConfigId: bytes.slice(L.mrConfigId, L.mrConfigId + 48),
    mrOwner: bytes.slice(L.mrOwner, L.mrOwner + 48),
    mrOwnerConfig: bytes.slice(L.mrOwnerConfig, L.mrOwnerConfig + 48),
    ia32ArchCapabilitiesConfig: view.getBigUint64(L.ia32ArchCapabilitiesConfig, true),
    cpuidConfig,
  };
}
