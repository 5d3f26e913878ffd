import type { CpuProfile } from '../cpu-profile.ts';
import { MINIMAL_PROFILE } from './minimal.ts';

/** Fourth-generation Xeon Scalable, as far as this processor goes: no AVX-512, AMX, CET, user interrupts, PMU, LBR or trace. */
export const SPR_PROFILE: CpuProfile = {
  name: 'spr',
  summary: 'what a TD sees on a Sapphire Rapids server, without AVX-512 and AMX',
  features: [
    ...MINIMAL_PROFILE.features,
    ...['PCLMULQDQ', 'DTES64', 'MONITOR', 'DS_CPL', 'EST', 'TM2', 'SDBG', 'XTPR', 'PDCM', 'PCID', 'DCA', 'MOVBE'],
    ...['FMA', 'AVX', 'F16C', 'AVX2', 'AVX_VNNI', 'GFNI', 'VAES', 'VPCLMULQDQ', 'MOVDIRI', 'MOVDIR64B'],
    ...['AES', 'XSAVE', 'XSAVEOPT', 'XSAVEC', 'XGETBV1', 'XSAVES'],
    ...['DS', 'ACPI', 'HTT', 'TM', 'PBE'],
    ...['FDP_EXCPTN_ONLY', 'INVPCID', 'DEPRECATES_FPU_CS_DS', 'ADX', 'CLFLUSHOPT', 'CLWB', 'SHA'],
    ...[
      'BMI1',
      'BMI2',
      'LZCNT',
      'LA57',
      'RDPID',
      'PKU',
      'PKS',
      'CLDEMOTE',
      'SERIALIZE',
      'BUS_LOCK_DETECT',
      'TSC_ADJUST',
    ],
    ...['FSRM', 'MD_CLEAR', 'L1D_FLUSH', 'CORE_CAPABILITIES', 'FZRM', 'FSRS', 'FSRC'],
    ...['PSFD', 'IPRED_CTRL', 'RRSBA_CTRL', 'BHI_CTRL'],
    'WBNOINVD',
  ],
  numbers: [
    ...MINIMAL_PROFILE.numbers.filter(({ leaf }) => leaf !== 0x8000_0008),
    // L1 data 48 KiB, L1 code 32 KiB, L2 2 MiB, L3 105 MiB: type, level and sharers; ways, line; sets
    { leaf: 4, subleaf: 0, eax: 0x0400_4121, ebx: 0x02c0_003f, ecx: 63 },
    { leaf: 4, subleaf: 1, eax: 0x0400_4122, ebx: 0x01c0_003f, ecx: 63 },
    { leaf: 4, subleaf: 2, eax: 0x0400_4143, ebx: 0x03c0_003f, ecx: 2047 },
    { leaf: 4, subleaf: 3, eax: 0x041f_c163, ebx: 0x0380_003f, ecx: 114_687, edx: 4 },
    // MONITOR lines of 64 bytes, interrupts break MWAIT
    { leaf: 5, eax: 0x40, ebx: 0x40, ecx: 3 },
    // x87, SSE, AVX, PKRU, in 2696 bytes; the upper halves of AVX are 256 bytes at 576, PKRU 8 at 2688
    { leaf: 0xd, subleaf: 0, eax: 0x207, ecx: 2696 },
    { leaf: 0xd, subleaf: 2, eax: 256, ebx: 576 },
    { leaf: 0xd, subleaf: 9, eax: 8, ebx: 2688 },
    // L2 of 2 MiB
    { leaf: 0x8000_0006, ecx: 0x0800_7040 },
    // 52 bits of physical, 57 of linear address
    { leaf: 0x8000_0008, eax: 0x3934 },
  ],
  archCapabilities: MINIMAL_PROFILE.archCapabilities,
};
