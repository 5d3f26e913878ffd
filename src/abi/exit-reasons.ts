/** VM exit reasons as a host reads them in RAX 31:0 of a TD exit. Source: SDM vol. 3, appendix C "VMX Basic Exit Reasons". */
import { hex } from '../bits/index.ts';

export const TdExitReason = {
  EXCEPTION_OR_NMI: 0,
  EXTERNAL_INTERRUPT: 1,
  TRIPLE_FAULT: 2,
  TASK_SWITCH: 9,
  EPT_VIOLATION: 48,
  EPT_MISCONFIGURATION: 49,
  BUS_LOCK: 74,
  TDCALL: 77,
} as const;
export type TdExitReason = number;

export const EXIT_REASON_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'EXCEPTION_OR_NMI'],
  [1, 'EXTERNAL_INTERRUPT'],
  [2, 'TRIPLE_FAULT'],
  [3, 'INIT'],
  [7, 'INTERRUPT_WINDOW'],
  [8, 'NMI_WINDOW'],
  [9, 'TASK_SWITCH'],
  [10, 'CPUID'],
  [11, 'GETSEC'],
  [12, 'HLT'],
  [13, 'INVD'],
  [14, 'INVLPG'],
  [15, 'RDPMC'],
  [16, 'RDTSC'],
  [17, 'RSM'],
  [18, 'VMCALL'],
  [19, 'VMCLEAR'],
  [20, 'VMLAUNCH'],
  [21, 'VMPTRLD'],
  [22, 'VMPTRST'],
  [23, 'VMREAD'],
  [24, 'VMRESUME'],
  [25, 'VMWRITE'],
  [26, 'VMXOFF'],
  [27, 'VMXON'],
  [28, 'CR_ACCESS'],
  [29, 'DR_ACCESS'],
  [30, 'IO_INSTRUCTION'],
  [31, 'RDMSR'],
  [32, 'WRMSR'],
  [36, 'MWAIT'],
  [39, 'MONITOR'],
  [40, 'PAUSE'],
  [48, 'EPT_VIOLATION'],
  [49, 'EPT_MISCONFIGURATION'],
  [50, 'INVEPT'],
  [51, 'RDTSCP'],
  [53, 'INVVPID'],
  [54, 'WBINVD'],
  [55, 'XSETBV'],
  [56, 'APIC_WRITE'],
  [57, 'RDRAND'],
  [58, 'INVPCID'],
  [59, 'VMFUNC'],
  [60, 'ENCLS'],
  [61, 'RDSEED'],
  [65, 'PCONFIG'],
  [67, 'UMWAIT'],
  [68, 'TPAUSE'],
  [69, 'LOADIWKEY'],
  [70, 'ENCLV'],
  [72, 'ENQCMD'],
  [73, 'ENQCMDS'],
  [74, 'BUS_LOCK'],
  [75, 'NOTIFY'],
  [76, 'SEAMCALL'],
  [77, 'TDCALL'],
]);

export function exitReasonName(reason: number): string {
  return EXIT_REASON_NAMES.get(reason) ?? hex(reason);
}

/** Type in bits 3:0 of the extended exit qualification. Source: TDX Module 1.5 ABI Definition, "Extended Exit Qualification". */
export const ExtendedQualification = {
  NONE: 0,
  ACCEPT: 1,
  GPA_DETAILS: 2,
  ATTR_WR: 5,
  PENDING_EPT_VIOLATION: 6,
} as const;
