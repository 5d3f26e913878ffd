/** What the module keeps of a vCPU: TDVPR and TDVPS. Registers live in the logical processor that is the vCPU. */
import { VeCategory } from '../../abi/index.ts';
import type { LogicalProcessor } from '../../cpu/index.ts';
import type { Td } from './td.ts';

export const VcpuState = { UNINITIALIZED: 0, READY: 1, DISABLED: 2 } as const;
export type VcpuState = (typeof VcpuState)[keyof typeof VcpuState];

/** How the vCPU left the TD last; decides what TDH.VP.ENTER gives it. */
export const LastExit = { ASYNCHRONOUS: 0, TDVMCALL: 1, ASYNCHRONOUS_TRAP: 2 } as const;
export type LastExit = (typeof LastExit)[keyof typeof LastExit];

/** IA32_MISC_ENABLE: fast strings; branch trace and precise event sampling are not there. Source: SDM vol. 4, "Architectural MSRs". */
const MISC_ENABLE_INITIAL = 0x1801;

export class Vcpu {
  readonly tdvprHpa: number;
  readonly td: Td;
  tdvpsPages = 1;
  state: VcpuState = VcpuState.UNINITIALIZED;
  index = 0;
  /** undefined until TDH.VP.INIT */
  processor: LogicalProcessor | undefined;
  associated = false;
  lastExit: LastExit = LastExit.ASYNCHRONOUS;
  /** RCX of the TDG.VP.VMCALL that waits for its answer */
  exposedMask = 0;
  /** TD epoch and shared epoch at the last entry */
  epoch = 0;
  sharedEpoch = 0;
  pendingNmi = false;
  /** an event whose delivery met an EPT violation waits for the next entry */
  eventQueued = false;
  /** posted-interrupt requests not yet merged into the virtual APIC */
  readonly posted = new Uint32Array(8);
  hasPosted = false;
  /** module-private half of VE_INFO */
  veInstructionLength = 0;
  veInstructionInformation = 0;
  veCategory: VeCategory = VeCategory.ARCH;
  /** #VE for every CPUID at CPL 0, and above: TDG.VP.CPUIDVE.SET, or metadata; any value but 0 */
  cpuidVeSupervisor = 0;
  cpuidVeUser = 0;
  /** the same by leaf, as CPUID_CONTROL has it: bit 0 supervisor, bit 1 user */
  readonly cpuidControl = new Uint8Array(128);
  /** controls of L2 virtual machines, by their number; a TD without partitioning only stores them */
  readonly l2Controls = new BigUint64Array(4);
  readonly l2DebugControls = new BigUint64Array(4);
  readonly l2TscDeadlines = new BigUint64Array(4).fill(0xffff_ffff_ffff_ffffn);
  debugControl = 0;
  /** module 2.0: given at TDH.VP.INIT */
  x2ApicId = 0;
  /** with REDUCE_VE the TD's own: IA32_MISC_ENABLE, MSR_SMI_COUNT */
  miscEnable = MISC_ENABLE_INITIAL;
  readonly smiCount = new Uint32Array(2);
  /** when a lock that the host has priority for was first found busy, of those found busy since; -1: none */
  hostPriorityBusySinceTicks = -1;

  constructor(tdvprHpa: number, td: Td) {
    this.tdvprHpa = tdvprHpa;
    this.td = td;
  }

  /** A logical processor takes the vCPU; it keeps it until TDH.VP.FLUSH. */
  associate(): void {
    if (this.associated) return;
    this.associated = true;
    this.td.associatedVcpus++;
  }

  /** The vCPU can never be entered again. */
  disable(): void {
    this.state = VcpuState.DISABLED;
  }

  /** The processor of an initialised vCPU. */
  get cpu(): LogicalProcessor {
    return this.processor!;
  }
}
