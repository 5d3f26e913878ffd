/** What the processor under the module is: the "native" CPUID values that virtualization starts from. */

export interface CpuidValues {
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

export interface CpuidProfile {
  readonly name: string;
  /** native values by leaf and sub-leaf ("7.0"; a leaf without sub-leaves: "1"); what is absent is zero */
  readonly values: Readonly<Record<string, CpuidValues>>;
  /** IA32_ARCH_CAPABILITIES */
  readonly archCapabilities: bigint;
}

const bits = (...positions: number[]): number => positions.reduce((value, position) => value | (1 << position), 0);
const bits64 = (...positions: number[]): bigint =>
  positions.reduce((value, position) => value | (1n << BigInt(position)), 0n);

/** CPUID.1:EAX of the fourth-generation Xeon Scalable (family 6, model 143, stepping 8). */
const FAMILY_MODEL_STEPPING = 0x000806f8;

const Ecx1 = {
  SSE3: 0,
  SSSE3: 9,
  CX16: 13,
  SSE4_1: 19,
  SSE4_2: 20,
  X2APIC: 21,
  POPCNT: 23,
  TSC_DEADLINE: 24,
  RDRAND: 30,
  HYPERVISOR: 31,
} as const;
const Edx1 = {
  FPU: 0,
  VME: 1,
  DE: 2,
  PSE: 3,
  TSC: 4,
  MSR: 5,
  PAE: 6,
  MCE: 7,
  CX8: 8,
  APIC: 9,
  SEP: 11,
  MTRR: 12,
  PGE: 13,
  MCA: 14,
  CMOV: 15,
  PAT: 16,
  PSE36: 17,
  CLFSH: 19,
  MMX: 23,
  FXSR: 24,
  SSE: 25,
  SSE2: 26,
  SS: 27,
} as const;
const Ebx7 = { FSGSBASE: 0, SMEP: 7, ERMS: 9, RDSEED: 18, SMAP: 20 } as const;
const Ecx7 = { UMIP: 2 } as const;
const Edx7 = { IBRS: 26, STIBP: 27, ARCH_CAPABILITIES: 29, SSBD: 31 } as const;
const Ecx8_1 = { LAHF: 0, PREFETCHW: 8 } as const;
const Edx8_1 = { SYSCALL: 11, NX: 20, PAGE_1G: 26, RDTSCP: 27, LM: 29 } as const;

/** IA32_ARCH_CAPABILITIES: no speculation, so no speculative leaks. */
const ArchCapability = {
  RDCL_NO: 0,
  IBRS_ALL: 1,
  SKIP_L1DFL_VMENTRY: 3,
  SSB_NO: 4,
  MDS_NO: 5,
  PSCHANGE_MC_NO: 6,
  TAA_NO: 8,
  SBDR_SSDP_NO: 13,
  FBSDP_NO: 14,
  PSDP_NO: 15,
  BHI_NO: 20,
  XAPIC_DISABLE_STATUS: 21,
  PBRSB_NO: 24,
  GDS_NO: 26,
  RFDS_NO: 27,
  ITS_NO: 62,
} as const;

/** x86-64-v2 without XSAVE: what the processor implements and a first TD needs. */
export const MINIMAL_PROFILE: CpuidProfile = {
  name: 'minimal',
  values: {
    '0': { eax: 0x23, ebx: 0x756e6547, ecx: 0x6c65746e, edx: 0x49656e69 },
    '1': {
      eax: FAMILY_MODEL_STEPPING,
      ebx: 0x0800,
      ecx: bits(...Object.values(Ecx1)),
      edx: bits(...Object.values(Edx1)),
    },
    '7.0': {
      eax: 2,
      ebx: bits(...Object.values(Ebx7)),
      ecx: bits(...Object.values(Ecx7)),
      edx: bits(...Object.values(Edx7)),
    },
    '15': { eax: 1, ebx: 0, ecx: 25_000_000, edx: 0 },
    '21.0': { eax: 0, ebx: 0x65746e49, ecx: 0x20202020, edx: 0x5844546c },
    '80000000': { eax: 0x8000_0008 | 0, ebx: 0, ecx: 0, edx: 0 },
    '80000001': { eax: 0, ebx: 0, ecx: bits(...Object.values(Ecx8_1)), edx: bits(...Object.values(Edx8_1)) },
    '80000007': { eax: 0, ebx: 0, ecx: 0, edx: bits(8) },
    '80000008': { eax: 0x3034, ebx: 0, ecx: 0, edx: 0 },
  },
  archCapabilities: bits64(...Object.values(ArchCapability)),
};
