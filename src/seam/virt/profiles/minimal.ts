import type { CpuProfile } from '../cpu-profile.ts';

/** x86-64-v2 without XSAVE: what boots fastest, as a kernel has the least to find, to test and to save. */
export const MINIMAL_PROFILE: CpuProfile = {
  name: 'minimal',
  summary: 'x86-64-v2 without XSAVE: boots fastest',
  features: [
    ...['SSE3', 'SSSE3', 'CX16', 'SSE4_1', 'SSE4_2', 'X2APIC', 'POPCNT', 'TSC_DEADLINE', 'RDRAND', 'HYPERVISOR'],
    ...['FPU', 'VME', 'DE', 'PSE', 'TSC', 'MSR', 'PAE', 'MCE', 'CX8', 'APIC', 'SEP', 'MTRR', 'PGE', 'MCA', 'CMOV'],
    ...['PAT', 'PSE36', 'CLFSH', 'MMX', 'FXSR', 'SSE', 'SSE2', 'SS'],
    ...['FSGSBASE', 'SMEP', 'ERMS', 'RDSEED', 'SMAP', 'UMIP'],
    ...['IBRS', 'STIBP', 'ARCH_CAPABILITIES', 'SSBD'],
    ...['LAHF', 'PREFETCHW', 'SYSCALL', 'NX', 'PAGE_1G', 'RDTSCP', 'LM', 'INVARIANT_TSC'],
  ],
  numbers: [
    { leaf: 0, eax: 0x20, ebx: 0x756e6547, ecx: 0x6c65746e, edx: 0x49656e69 },
    // family 6, model 143, stepping 8; lines of 64 bytes
    { leaf: 1, eax: 0x000806f8, ebx: 0x0800 },
    { leaf: 7, subleaf: 0, eax: 2 },
    { leaf: 0x8000_0000, eax: 0x8000_0008 | 0 },
    // 52 bits of physical, 48 of linear address
    { leaf: 0x8000_0008, eax: 0x3034 },
  ],
  archCapabilities: [
    ...(['RDCL_NO', 'IBRS_ALL', 'SKIP_L1DFL_VMENTRY', 'SSB_NO', 'MDS_NO', 'PSCHANGE_MC_NO', 'TAA_NO'] as const),
    ...(['SBDR_SSDP_NO', 'FBSDP_NO', 'PSDP_NO', 'BHI_NO', 'XAPIC_DISABLE_STATUS', 'PBRSB_NO'] as const),
    ...(['GDS_NO', 'RFDS_NO', 'ITS_NO'] as const),
  ],
};
