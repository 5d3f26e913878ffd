/** Who answers RDMSR and WRMSR of each register. Source: TDX Module 1.5 ABI Definition, "MSR Virtualization". */

export const MsrAnswer = {
  /** #VE: the guest may ask the host */
  Ve: 0,
  /** the processor, without an exit; a value it refuses is its own #GP */
  Native: 1,
  /** #GP(0) */
  Gp: 2,
  /** the module */
  Module: 3,
  /** #VE if CPUID.1:ECX.TSC_DEADLINE is shown, else #GP(0) */
  VeIfTscDeadline: 4,
} as const;
export type MsrAnswer = (typeof MsrAnswer)[keyof typeof MsrAnswer];

export interface MsrRow {
  readonly first: number;
  readonly last: number;
  readonly name: string;
  readonly read: MsrAnswer;
  readonly write: MsrAnswer;
  readonly source: string;
}

const MSR_SOURCE = 'TDX Module 1.5 ABI Definition, "MSR Virtualization"';
const { Ve, Native, Gp, Module, VeIfTscDeadline } = MsrAnswer;

const row = (first: number, last: number, name: string, read: MsrAnswer, write: MsrAnswer): MsrRow => ({
  first,
  last,
  name,
  read,
  write,
  source: MSR_SOURCE,
});

/** Registers whose feature this processor does not have are #GP; registers in no row are #VE. */
export const MSR_ROWS: readonly MsrRow[] = [
  row(0x10, 0x10, 'IA32_TIME_STAMP_COUNTER', Native, Ve),
  row(0x48, 0x48, 'IA32_SPEC_CTRL', Native, Native),
  row(0x49, 0x49, 'IA32_PRED_CMD', Native, Native),
  row(0x87, 0x87, 'IA32_MKTME_PARTITIONING', Gp, Gp),
  row(0x8c, 0x8f, 'IA32_SGXLEPUBKEYHASH0-3', Gp, Gp),
  row(0x98, 0x9b, 'IA32_WBINVDP, IA32_WBNOINVDP, IA32_INTR_PENDING, IA32_SMM_MONITOR_CTL', Gp, Gp),
  row(0x9e, 0x9e, 'IA32_SMBASE', Gp, Gp),
  row(0xbc, 0xbc, 'IA32_MISC_PACKAGE_CTLS', Native, Ve),
  row(0xbd, 0xbd, 'IA32_XAPIC_DISABLE_STATUS', Module, Native),
  row(0xc1, 0xc8, 'IA32_PMC0-7', Gp, Gp),
  row(0xe1, 0xe1, 'IA32_UMWAIT_CONTROL', Gp, Gp),
  row(0x10a, 0x10a, 'IA32_ARCH_CAPABILITIES', Module, Native),
  row(0x10b, 0x10b, 'IA32_FLUSH_CMD', Native, Native),
  row(0x122, 0x122, 'IA32_TSX_CTRL', Gp, Gp),
  row(0x174, 0x176, 'IA32_SYSENTER_CS, ESP, EIP', Native, Native),
  row(0x186, 0x18d, 'IA32_PERFEVTSEL0-7', Gp, Gp),
  row(0x195, 0x195, 'IA32_OVERCLOCKING_STATUS', Gp, Gp),
  row(0x1a0, 0x1a0, 'IA32_MISC_ENABLE', Module, Ve),
  row(0x1a6, 0x1a7, 'MSR_OFFCORE_RSP_0-1', Gp, Gp),
  row(0x1c4, 0x1c5, 'IA32_XFD, IA32_XFD_ERR', Gp, Gp),
  row(0x1d9, 0x1d9, 'IA32_DEBUGCTL', Module, Module),
  row(0x1f8, 0x1fa, 'IA32_PLATFORM_DCA_CAP, IA32_CPU_DCA_CAP, IA32_DCA_0_CAP', Gp, Gp),
  row(0x276, 0x276, 'MSR_SLAM_ENABLE', Gp, Gp),
  row(0x277, 0x277, 'IA32_PAT', Native, Native),
  row(0x309, 0x310, 'IA32_FIXED_CTR0-7', Gp, Gp),
  row(0x329, 0x329, 'IA32_PERF_METRICS', Gp, Gp),
  row(0x345, 0x345, 'IA32_PERF_CAPABILITIES', Module, Gp),
  row(0x38d, 0x392, 'IA32_FIXED_CTR_CTRL to IA32_PERF_GLOBAL_INUSE', Gp, Gp),
  row(0x3f1, 0x3f2, 'IA32_PEBS_ENABLE, MSR_PEBS_DATA_CFG', Gp, Gp),
  row(0x3f6, 0x3f7, 'MSR_PEBS_LD_LAT, MSR_PEBS_FRONTEND', Gp, Gp),
  row(0x480, 0x480, 'IA32_VMX_BASIC', Module, Gp),
  row(0x481, 0x484, 'IA32_VMX_PINBASED_CTLS to IA32_VMX_ENTRY_CTLS', Ve, Gp),
  row(0x485, 0x489, 'IA32_VMX_MISC to IA32_VMX_CR4_FIXED1', Module, Gp),
  row(0x48a, 0x48a, 'IA32_VMX_VMCS_ENUM', Ve, Gp),
  row(0x48b, 0x492, 'IA32_VMX_PROCBASED_CTLS2 to IA32_VMX_PROCBASED_CTLS3', Module, Gp),
  row(0x4c1, 0x4c8, 'IA32_A_PMC0-7', Gp, Gp),
  row(0x500, 0x500, 'IA32_SGX_SVN_STATUS', Gp, Gp),
  row(0x560, 0x561, 'IA32_RTIT_OUTPUT_BASE, MASK_PTRS', Gp, Gp),
  row(0x570, 0x572, 'IA32_RTIT_CTL, STATUS, CR3_MATCH', Gp, Gp),
  row(0x580, 0x587, 'IA32_RTIT_ADDR0_A to ADDR3_B', Gp, Gp),
  row(0x600, 0x600, 'IA32_DS_AREA', Native, Native),
  row(0x6a0, 0x6a0, 'IA32_U_CET', Gp, Gp),
  row(0x6a2, 0x6a2, 'IA32_S_CET', Gp, Gp),
  row(0x6a4, 0x6a8, 'IA32_PL0_SSP to IA32_INTERRUPT_SSP_TABLE_ADDR', Gp, Gp),
  row(0x6e0, 0x6e0, 'IA32_TSC_DEADLINE', VeIfTscDeadline, VeIfTscDeadline),
  row(0x6e1, 0x6e1, 'IA32_PKRS', Gp, Gp),
  row(0x800, 0x801, 'reserved x2APIC', Gp, Gp),
  row(0x804, 0x807, 'reserved x2APIC', Gp, Gp),
  row(0x808, 0x808, 'IA32_X2APIC_TPR', Native, Native),
  row(0x809, 0x809, 'reserved x2APIC', Native, Native),
  row(0x80a, 0x80a, 'IA32_X2APIC_PPR', Native, Native),
  row(0x80b, 0x80b, 'IA32_X2APIC_EOI', Native, Native),
  row(0x80c, 0x80c, 'reserved x2APIC', Native, Native),
  row(0x80e, 0x80e, 'reserved x2APIC', Native, Native),
  row(0x810, 0x827, 'IA32_X2APIC_ISR0-7, TMR0-7, IRR0-7', Native, Native),
  row(0x829, 0x82e, 'reserved x2APIC', Gp, Gp),
  row(0x831, 0x831, 'reserved x2APIC', Gp, Gp),
  row(0x83f, 0x83f, 'IA32_X2APIC_SELF_IPI', Native, Native),
  row(0x840, 0x8ff, 'reserved x2APIC', Gp, Gp),
  row(0x981, 0x984, 'IA32_TME_CAPABILITY to IA32_TME_EXCLUDE_BASE', Gp, Gp),
  row(0x985, 0x98a, 'IA32_UINTR_RR to IA32_UINTR_TT', Gp, Gp),
  row(0xc80, 0xc80, 'IA32_DEBUG_INTERFACE', Native, Ve),
  row(0xd90, 0xd90, 'IA32_BNDCFGS', Gp, Gp),
  row(0xd93, 0xd93, 'IA32_PASID', Gp, Gp),
  row(0xda0, 0xda0, 'IA32_XSS', Native, Module),
  row(0x1200, 0x12ff, 'IA32_LBR_x_INFO', Gp, Gp),
  row(0x14ce, 0x14cf, 'IA32_LBR_CTL, IA32_LBR_DEPTH', Gp, Gp),
  row(0x1500, 0x16ff, 'IA32_LBR_x_FROM_IP, TO_IP', Gp, Gp),
  row(0x1b01, 0x1b01, 'IA32_UARCH_MISC_CTL', Native, Native),
  row(0xc000_0080, 0xc000_0080, 'IA32_EFER', Native, Module),
  row(0xc000_0081, 0xc000_0082, 'IA32_STAR, IA32_LSTAR', Native, Native),
  row(0xc000_0084, 0xc000_0084, 'IA32_FMASK', Native, Native),
  row(0xc000_0100, 0xc000_0103, 'IA32_FS_BASE, GS_BASE, KERNEL_GS_BASE, TSC_AUX', Native, Native),
];
