/** Who answers RDMSR and WRMSR of each register, in each module. What is in no row is #VE; with REDUCE_VE (2.0) it is #GP(0). */
import { MODULE_1_5, MODULE_2_0, type ModuleVersion } from '../../abi/index.ts';
import type { ParavirtFeatureName } from './td-controls.ts';

/** Features that bring registers of their own, by what switches them on for a TD. */
export type MsrFeature = 'PERFMON' | 'WAITPKG' | 'TSX' | 'XFD' | 'PT' | 'CET' | 'PKS' | 'UINTR' | 'LBR';

/**
 * - `native`: the processor, without an exit; a value it refuses is its own #GP
 * - `native if F`: the same where the TD has F, else #GP(0)
 * - `#VE if F`: the host may answer where the TD has F, else #GP(0)
 * - `#VE unless REDUCE_VE`: with it, #GP(0)
 * - `module`: td-exit/msr.ts
 */
export type MsrAnswer =
  | 'native'
  | '#VE'
  | '#GP'
  | 'module'
  | '#VE unless REDUCE_VE'
  | `native if ${MsrFeature}`
  | `#VE if ${ParavirtFeatureName}`;

export interface MsrRow {
  readonly first: number;
  readonly last: number;
  readonly name: string;
  readonly modules: readonly ModuleVersion[];
  readonly read: MsrAnswer;
  readonly write: MsrAnswer;
  readonly source: string;
}

const SOURCE_1_5 = 'TDX Module 1.5 ABI Definition, "MSR Virtualization"; module 1.5.01 source, msr_config_lookup.c';
const SOURCE_2_0 = 'TDX Module 2.0 ABI Definition, "MSR Virtualization"; module 2.0 source, msr_config_lookup.c';

/** First and last number, name, answer to RDMSR, answer to WRMSR if it is another one. */
type Line = readonly [first: number, last: number, name: string, read: MsrAnswer, write?: MsrAnswer];

const REDUCED = '#VE unless REDUCE_VE';
const MTRR = '#VE if MTRR';
const MCA = '#VE if MCA';
const CORE = '#VE if CORE_CAPABILITIES';

/** The same in both modules. */
const COMMON: readonly Line[] = [
  [0x10, 0x10, 'IA32_TIME_STAMP_COUNTER', 'native', '#VE'],
  [0x48, 0x48, 'IA32_SPEC_CTRL', 'native'],
  [0x49, 0x49, 'IA32_PRED_CMD', 'native'],
  [0x87, 0x87, 'IA32_MKTME_PARTITIONING', '#VE if PCONFIG'],
  [0x8c, 0x8f, 'IA32_SGXLEPUBKEYHASH0-3', '#GP'],
  [0x98, 0x98, 'MSR_WBINVDP', '#GP'],
  [0x99, 0x99, 'MSR_WBNOINVDP', '#GP'],
  [0x9a, 0x9a, 'MSR_INTR_PENDING', '#GP'],
  [0x9b, 0x9b, 'IA32_SMM_MONITOR_CTL', '#GP'],
  [0x9e, 0x9e, 'IA32_SMBASE', '#GP'],
  [0xbc, 0xbc, 'IA32_MISC_PACKAGE_CTLS', 'native', '#VE'],
  [0xbd, 0xbd, 'IA32_XAPIC_DISABLE_STATUS', 'module', 'native'],
  [0xc1, 0xc8, 'IA32_PMC0-7', 'native if PERFMON'],
  [0xe1, 0xe1, 'IA32_UMWAIT_CONTROL', 'native if WAITPKG'],
  [0x10a, 0x10a, 'IA32_ARCH_CAPABILITIES', 'module', 'native'],
  [0x10b, 0x10b, 'IA32_FLUSH_CMD', 'native'],
  [0x122, 0x122, 'IA32_TSX_CTRL', 'native if TSX'],
  [0x174, 0x174, 'IA32_SYSENTER_CS', 'native'],
  [0x175, 0x175, 'IA32_SYSENTER_ESP', 'native'],
  [0x176, 0x176, 'IA32_SYSENTER_EIP', 'native'],
  [0x186, 0x18d, 'IA32_PERFEVTSEL0-7', 'native if PERFMON'],
  [0x195, 0x195, 'IA32_OVERCLOCKING_STATUS', '#GP'],
  [0x1a6, 0x1a7, 'MSR_OFFCORE_RSP_0-1', 'native if PERFMON'],
  [0x1c4, 0x1c4, 'IA32_XFD', 'native if XFD'],
  [0x1c5, 0x1c5, 'IA32_XFD_ERR', 'native if XFD'],
  [0x1d9, 0x1d9, 'IA32_DEBUGCTL', 'module'],
  [0x1f8, 0x1f8, 'IA32_PLATFORM_DCA_CAP', '#VE if DCA'],
  [0x1f9, 0x1f9, 'IA32_CPU_DCA_CAP', '#VE if DCA'],
  [0x1fa, 0x1fa, 'IA32_DCA_0_CAP', '#VE if DCA'],
  [0x276, 0x276, 'MSR_SLAM_ENABLE', '#GP'],
  [0x277, 0x277, 'IA32_PAT', 'native'],
  [0x309, 0x310, 'IA32_FIXED_CTR0-7', 'native if PERFMON'],
  [0x329, 0x329, 'IA32_PERF_METRICS', 'native if PERFMON'],
  [0x345, 0x345, 'IA32_PERF_CAPABILITIES', 'module', 'native if PERFMON'],
  [0x38d, 0x38d, 'IA32_FIXED_CTR_CTRL', 'native if PERFMON'],
  [0x38e, 0x38e, 'IA32_PERF_GLOBAL_STATUS', 'native if PERFMON'],
  [0x38f, 0x38f, 'IA32_PERF_GLOBAL_CTRL', 'native if PERFMON'],
  [0x390, 0x390, 'IA32_PERF_GLOBAL_STATUS_RESET', 'native if PERFMON'],
  [0x391, 0x391, 'IA32_PERF_GLOBAL_STATUS_SET', 'native if PERFMON'],
  [0x392, 0x392, 'IA32_PERF_GLOBAL_INUSE', 'native if PERFMON'],
  [0x3f1, 0x3f1, 'IA32_PEBS_ENABLE', 'native if PERFMON'],
  [0x3f2, 0x3f2, 'MSR_PEBS_DATA_CFG', 'native if PERFMON'],
  [0x3f6, 0x3f6, 'MSR_PEBS_LD_LAT', 'native if PERFMON'],
  [0x3f7, 0x3f7, 'MSR_PEBS_FRONTEND', 'native if PERFMON'],
  [0x480, 0x480, 'IA32_VMX_BASIC', 'module', '#GP'],
  [0x485, 0x485, 'IA32_VMX_MISC', 'module', '#GP'],
  [0x486, 0x487, 'IA32_VMX_CR0_FIXED0, CR0_FIXED1', 'module', '#GP'],
  [0x488, 0x489, 'IA32_VMX_CR4_FIXED0, CR4_FIXED1', 'module', '#GP'],
  [0x48b, 0x48b, 'IA32_VMX_PROCBASED_CTLS2', 'module', '#GP'],
  [0x48c, 0x48c, 'IA32_VMX_EPT_VPID_CAP', 'module', '#GP'],
  [0x48d, 0x490, 'IA32_VMX_TRUE_PINBASED, PROCBASED, EXIT, ENTRY_CTLS', 'module', '#GP'],
  [0x491, 0x491, 'IA32_VMX_VMFUNC', 'module', '#GP'],
  [0x492, 0x492, 'IA32_VMX_PROCBASED_CTLS3', 'module', '#GP'],
  [0x4c1, 0x4c8, 'IA32_A_PMC0-7', 'native if PERFMON'],
  [0x500, 0x500, 'IA32_SGX_SVN_STATUS', '#GP'],
  [0x560, 0x560, 'IA32_RTIT_OUTPUT_BASE', 'native if PT'],
  [0x561, 0x561, 'IA32_RTIT_OUTPUT_MASK_PTRS', 'native if PT'],
  [0x570, 0x570, 'IA32_RTIT_CTL', 'native if PT'],
  [0x571, 0x571, 'IA32_RTIT_STATUS', 'native if PT'],
  [0x572, 0x572, 'IA32_RTIT_CR3_MATCH', 'native if PT'],
  [0x580, 0x587, 'IA32_RTIT_ADDR0_A to ADDR3_B', 'native if PT'],
  [0x600, 0x600, 'IA32_DS_AREA', 'native'],
  [0x6a0, 0x6a0, 'IA32_U_CET', 'native if CET'],
  [0x6a2, 0x6a2, 'IA32_S_CET', 'native if CET'],
  [0x6a4, 0x6a7, 'IA32_PL0_SSP to PL3_SSP', 'native if CET'],
  [0x6a8, 0x6a8, 'IA32_INTERRUPT_SSP_TABLE_ADDR', 'native if CET'],
  [0x6e0, 0x6e0, 'IA32_TSC_DEADLINE', '#VE if TSC_DEADLINE'],
  [0x6e1, 0x6e1, 'IA32_PKRS', 'native if PKS'],
  [0x800, 0x801, 'reserved x2APIC', '#GP'],
  [0x804, 0x807, 'reserved x2APIC', '#GP'],
  [0x808, 0x808, 'IA32_X2APIC_TPR', 'native'],
  [0x809, 0x809, 'reserved x2APIC', 'native'],
  [0x80a, 0x80a, 'IA32_X2APIC_PPR', 'native'],
  [0x80b, 0x80b, 'IA32_X2APIC_EOI', 'native'],
  [0x80c, 0x80c, 'reserved x2APIC', 'native'],
  [0x80e, 0x80e, 'reserved x2APIC', 'native'],
  [0x810, 0x817, 'IA32_X2APIC_ISR0-7', 'native'],
  [0x818, 0x81f, 'IA32_X2APIC_TMR0-7', 'native'],
  [0x820, 0x827, 'IA32_X2APIC_IRR0-7', 'native'],
  [0x829, 0x82e, 'reserved x2APIC', '#GP'],
  [0x831, 0x831, 'reserved x2APIC', '#GP'],
  [0x83f, 0x83f, 'IA32_X2APIC_SELF_IPI', 'native'],
  [0x840, 0x8ff, 'reserved x2APIC', '#GP'],
  [0x981, 0x981, 'IA32_TME_CAPABILITY', '#VE if TME'],
  [0x982, 0x982, 'IA32_TME_ACTIVATE', '#VE if TME'],
  [0x983, 0x983, 'IA32_TME_EXCLUDE_MASK', '#VE if TME'],
  [0x984, 0x984, 'IA32_TME_EXCLUDE_BASE', '#VE if TME'],
  [0x985, 0x98a, 'IA32_UINTR_RR to IA32_UINTR_TT', 'native if UINTR'],
  [0xd90, 0xd90, 'IA32_BNDCFGS', '#GP'],
  [0xd93, 0xd93, 'IA32_PASID', '#GP'],
  [0xda0, 0xda0, 'IA32_XSS', 'native', 'module'],
  [0x1200, 0x12ff, 'IA32_LBR_x_INFO', 'native if LBR'],
  [0x14ce, 0x14ce, 'IA32_LBR_CTL', 'native if LBR'],
  [0x14cf, 0x14cf, 'IA32_LBR_DEPTH', 'native if LBR'],
  [0x1500, 0x15ff, 'IA32_LBR_x_FROM_IP', 'native if LBR'],
  [0x1600, 0x16ff, 'IA32_LBR_x_TO_IP', 'native if LBR'],
  [0x1b01, 0x1b01, 'IA32_UARCH_MISC_CTL', 'native'],
  [0xc000_0080, 0xc000_0080, 'IA32_EFER', 'native', 'module'],
  [0xc000_0081, 0xc000_0081, 'IA32_STAR', 'native'],
  [0xc000_0082, 0xc000_0082, 'IA32_LSTAR', 'native'],
  [0xc000_0084, 0xc000_0084, 'IA32_FMASK', 'native'],
  [0xc000_0100, 0xc000_0100, 'IA32_FS_BASE', 'native'],
  [0xc000_0101, 0xc000_0101, 'IA32_GS_BASE', 'native'],
  [0xc000_0102, 0xc000_0102, 'IA32_KERNEL_GS_BASE', 'native'],
  [0xc000_0103, 0xc000_0103, 'IA32_TSC_AUX', 'native'],
];

const ONLY_1_5: readonly Line[] = [
  [0x1a0, 0x1a0, 'IA32_MISC_ENABLE', 'module', '#VE'],
  [0x481, 0x484, 'IA32_VMX_PINBASED, PROCBASED, EXIT, ENTRY_CTLS', '#VE', '#GP'],
  [0x48a, 0x48a, 'IA32_VMX_VMCS_ENUM', '#VE', '#GP'],
  [0xc80, 0xc80, 'IA32_DEBUG_INTERFACE', 'native', '#VE'],
];

const ONLY_2_0: readonly Line[] = [
  [0x0, 0x0, 'IA32_P5_MC_ADDR', '#VE'],
  [0x1, 0x1, 'IA32_P5_MC_TYPE', '#VE'],
  [0x6, 0x6, 'IA32_MONITOR_FILTER_SIZE', '#VE'],
  [0x17, 0x17, 'IA32_PLATFORM_ID', '#VE', REDUCED],
  [0x1b, 0x1b, 'IA32_APIC_BASE', '#VE'],
  [0x33, 0x33, 'MSR_MEMORY_CTRL', CORE],
  [0x34, 0x34, 'MSR_SMI_COUNT', 'module'],
  [0x3a, 0x3a, 'IA32_FEATURE_CONTROL', 'module', REDUCED],
  [0x3b, 0x3b, 'IA32_TSC_ADJUST', REDUCED],
  [0x4e, 0x4e, 'IA32_PPIN_CTL', 'module', REDUCED],
  [0x4f, 0x4f, 'IA32_PPIN', REDUCED],
  [0x79, 0x79, 'IA32_BIOS_UPDT_TRIG', REDUCED, 'module'],
  [0x7a, 0x7a, 'IA32_FEATURE_ACTIVATION', REDUCED],
  [0x82, 0x86, 'IA32_FZM_RANGE_INDEX to IA32_FZM_RANGE_WRITESTATUS', REDUCED],
  [0x8b, 0x8b, 'IA32_BIOS_SIGN_ID', 'module'],
  [0xce, 0xce, 'MSR_PLATFORM_INFO', 'module', REDUCED],
  [0xcf, 0xcf, 'IA32_CORE_CAPABILITIES', CORE, '#GP'],
  [0xe7, 0xe7, 'IA32_MPERF', REDUCED],
  [0xe8, 0xe8, 'IA32_APERF', REDUCED],
  [0xed, 0xf0, 'MSR_RAR_CONTROL to MSR_RAR_INFO', CORE],
  [0xfe, 0xfe, 'IA32_MTRRCAP', MTRR, '#GP'],
  [0x10f, 0x10f, 'IA32_TSX_FORCE_ABORT', REDUCED],
  [0x123, 0x123, 'IA32_MCU_OPT_CTRL', REDUCED],
  [0x140, 0x140, 'MSR_FEATURE_ENABLES', 'module'],
  [0x179, 0x179, 'IA32_MCG_CAP', MCA, '#GP'],
  [0x17a, 0x17a, 'IA32_MCG_STATUS', MCA],
  [0x17b, 0x17b, 'IA32_MCG_CTL', MCA],
  [0x198, 0x198, 'IA32_PERF_STATUS', '#VE if EST'],
  [0x199, 0x199, 'IA32_PERF_CTL', '#VE if EST'],
  [0x19a, 0x19a, 'IA32_CLOCK_MODULATION', '#VE if ACPI'],
  [0x19b, 0x19b, 'IA32_THERM_INTERRUPT', '#VE if ACPI'],
  [0x19c, 0x19c, 'IA32_THERM_STATUS', '#VE if ACPI'],
  [0x19d, 0x19d, 'MSR_THERM2_CTL', '#VE if TM2'],
  [0x1a0, 0x1a0, 'IA32_MISC_ENABLE', 'module'],
  [0x1b0, 0x1b0, 'IA32_ENERGY_PERF_BIAS', REDUCED],
  [0x1b1, 0x1b1, 'IA32_PACKAGE_THERM_STATUS', REDUCED],
  [0x1b2, 0x1b2, 'IA32_PACKAGE_THERM_INTERRUPT', REDUCED],
  [0x1c2, 0x1c3, 'IA32_HW_GET, SET_LP_PM_META_DATA', REDUCED],
  [0x1c7, 0x1c7, 'IA32_DD_THROTTLE_DEACTIVATE', REDUCED],
  [0x1ca, 0x1cb, 'IA32_DD_DI_CAPABILITY, ACTIVATE', REDUCED],
  [0x1f2, 0x1f3, 'IA32_SMRR_PHYSBASE, PHYSMASK', MTRR],
  [0x1f6, 0x1f7, 'IA32_SMRR2_PHYSBASE, PHYSMASK', MTRR],
  [0x200, 0x213, 'IA32_MTRR_PHYSBASE0-9, PHYSMASK0-9', MTRR],
  [0x250, 0x250, 'IA32_MTRR_FIX64K_00000', MTRR],
  [0x258, 0x259, 'IA32_MTRR_FIX16K_80000, A0000', MTRR],
  [0x268, 0x26f, 'IA32_MTRR_FIX4K_C0000 to F8000', MTRR],
  [0x280, 0x29f, 'IA32_MC0-31_CTL2', MCA],
  [0x2a0, 0x2a7, 'IA32_PRMRR_BASE0-7', MTRR],
  [0x2c0, 0x2c1, 'IA32_FUSARR_BASE, MASK', MTRR],
  [0x2ff, 0x2ff, 'IA32_MTRR_DEF_TYPE', MTRR],
  [0x302, 0x303, 'BIOS_SE_SVN', REDUCED],
  [0x3f4, 0x3f5, 'IA32_PEBS_BASE, INDEX', '#GP'],
  [0x400, 0x473, 'IA32_MC0-28_CTL, STATUS, ADDR, MISC', MCA],
  [0x481, 0x484, 'IA32_VMX_PINBASED, PROCBASED, EXIT, ENTRY_CTLS', REDUCED, '#GP'],
  [0x48a, 0x48a, 'IA32_VMX_VMCS_ENUM', REDUCED, '#GP'],
  [0x4d0, 0x4d0, 'IA32_MCG_EXT_CTL', MCA],
  [0x501, 0x501, 'IA32_SE_SVN expansion', REDUCED],
  [0x550, 0x550, 'MSR_SEAM_SAI_MODE', '#GP'],
  [0x5d0, 0x5fd, 'IA32_MPRR_CAP to IA32_MPRR_HIGH_ADDR15', REDUCED],
  [0x770, 0x777, 'IA32_PM_ENABLE to IA32_HWP_STATUS', REDUCED],
  [0x793, 0x793, 'EXTENDED_MCG_PTR', REDUCED],
  [0x802, 0x802, 'IA32_X2APIC_APICID', 'module', '#GP'],
  [0x803, 0x803, 'IA32_X2APIC_VERSION', '#VE', '#GP'],
  [0x80d, 0x80d, 'IA32_X2APIC_LDR', '#VE', '#GP'],
  [0x80f, 0x80f, 'IA32_X2APIC_SIVR', '#VE'],
  [0x828, 0x828, 'IA32_X2APIC_ESR', '#VE'],
  [0x82f, 0x82f, 'IA32_X2APIC_LVT_CMCI', '#VE'],
  [0x830, 0x830, 'IA32_X2APIC_ICR', '#VE'],
  [0x832, 0x837, 'IA32_X2APIC_LVT_TIMER to LVT_ERROR', '#VE'],
  [0x838, 0x838, 'IA32_X2APIC_INIT_COUNT', '#VE'],
  [0x839, 0x839, 'IA32_X2APIC_CUR_COUNT', '#VE', '#GP'],
  [0x83a, 0x83a, 'IA32_X2APIC_LVT_HWP', '#VE'],
  [0x83b, 0x83d, 'reserved x2APIC', '#GP'],
  [0x83e, 0x83e, 'IA32_X2APIC_DIV_CONF', '#VE'],
  [0x98b, 0x98f, 'IA32_MPRR_HIGH_ADDR15 to IA32_MPRR_EN_ATTR16', REDUCED],
  [0xc80, 0xc80, 'IA32_DEBUG_INTERFACE', '#GP', REDUCED],
  [0xc81, 0xc82, 'IA32_L3_QOS_CFG, IA32_L2_QOS_CFG', '#VE if RDT_A'],
  [0xc8d, 0xc8f, 'IA32_QM_EVTSEL, QM_CTR, PQR_ASSOC', '#VE if RDT_M'],
  [0xc90, 0xd8f, 'IA32_L3_QOS_MASK_x, L2_QOS_MASK_x, L2_QOS_EXT_BW_THRTL_x', '#VE if RDT_A'],
  [0xdb0, 0xdb2, 'IA32_PKG_HDC_CTL, PM_CTL1, THREAD_STALL', REDUCED],
  [0x1000, 0x1000, 'IA32_MPX_LAX', REDUCED],
  [0x1400, 0x1402, 'IA32_SEAMRR_BASE, MASK, SEAM_EXTEND', REDUCED],
  [0x14c1, 0x14c8, 'IA32_RELOAD_PMC0-7', REDUCED],
  [0x17d0, 0x17d2, 'IA32_HW_FEEDBACK_PTR, CONFIG, THREAD_FEEDBACK_CHAR', REDUCED],
  [0x17d4, 0x17d4, 'IA32_HW_FEEDBACK_THREAD_CONFIG', REDUCED],
  [0x17da, 0x17da, 'IA32_HRESET_ENABLE', REDUCED],
  ...Array.from({ length: 8 }, (_, n): Line[] => [
    [0x1900 + 4 * n, 0x1901 + 4 * n, `IA32_PMC_GP${n}_CTR, CFG_A`, 'native if PERFMON'],
    [0x1903 + 4 * n, 0x1903 + 4 * n, `IA32_PMC_GP${n}_CFG_C`, '#GP'],
  ]).flat(),
  ...Array.from({ length: 7 }, (_, n): Line[] => [
    [0x1980 + 4 * n, 0x1980 + 4 * n, `IA32_PMC_FX${n}_CTR`, 'native if PERFMON'],
    [0x1983 + 4 * n, 0x1983 + 4 * n, `IA32_PMC_FX${n}_CFG_C`, '#GP'],
  ]).flat(),
  [0xc000_0083, 0xc000_0083, 'IA32_CSTAR', '#VE'],
];

const rowsOf = (lines: readonly Line[], modules: readonly ModuleVersion[], source: string): MsrRow[] =>
  lines.map(([first, last, name, read, write = read]) => ({ first, last, name, modules, read, write, source }));

export const MSR_ROWS: readonly MsrRow[] = [
  ...rowsOf(COMMON, [MODULE_1_5, MODULE_2_0], SOURCE_1_5),
  ...rowsOf(ONLY_1_5, [MODULE_1_5], SOURCE_1_5),
  ...rowsOf(ONLY_2_0, [MODULE_2_0], SOURCE_2_0),
];
