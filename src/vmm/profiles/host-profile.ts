/**
 * What real hosts answer differently where the GHCI leaves them free, or where they are free with the GHCI: data, one file a host. The
 * services in `tdvmcall` ask here; nothing else in this floor knows one host from another.
 */
import type { TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import type { CpuidRow } from '../cpuid.ts';
import type { HostMsrRow } from '../msrs.ts';
import type { Tdvmcall } from '../tdvmcall/tdvmcall.ts';

/** Something a guest can tell one host from another by, and how we know. */
export interface Difference {
  readonly what: string;
  readonly source: string;
}

export interface HostProfile {
  readonly name: 'qemu' | 'cloud-hypervisor' | 'hyperv-like' | 'strict';
  readonly description: string;
  /** leaves of Instruction.CPUID; what is not here is zeros */
  readonly cpuid: readonly CpuidRow[];
  /** MSRs of Instruction.RDMSR and WRMSR beside those of the local APIC; what is not here is refused */
  readonly msrs: readonly HostMsrRow[];
  /** port and MSR numbers wider than the instruction's are cut to its width; otherwise they are refused */
  readonly cutsWideOperands: boolean;
  /** R10 for a sub-function of R11 that is not served */
  readonly unknownSubFunction: TdvmcallStatus;
  /** sub-functions that are not served although there is a row, and R10 for them */
  readonly refused: ReadonlyMap<TdvmcallLeaf, TdvmcallStatus>;
  /** R11 and R12 of GetTdVmCallInfo, leaf 1; undefined: only leaf 0 is known */
  readonly callInfo: { readonly r11: bigint; readonly r12: bigint } | undefined;
  /** a call with R10 not 0: answers in the registers, and returns R10 */
  readonly vendorCall: (call: Tdvmcall) => TdvmcallStatus;
  readonly mapGpa: {
    /** bytes converted at a stretch */
    readonly chunkBytes: number;
    /** after a stretch the guest is told to come again if an interrupt waits for it */
    readonly stopsForInterrupts: boolean;
    /** a shared buffer with a request in flight is not taken away: GPA_INUSE */
    readonly protectsBuffersInUse: boolean;
  };
  /** what becomes of a guest that uses RAM in the other half without a MapGPA: the page is converted, the run ends, it gets a #VE as for MMIO */
  readonly touch: { readonly asPrivate: 'converts' | 'ends'; readonly asShared: 'converts' | 'ends' | '#VE' };
  /** bits of ReportFatalError's code that must be 0 for the text to be looked at */
  readonly fatalErrorReservedBits: bigint;
  /** what of all this is this host's own */
  readonly differences: readonly Difference[];
}
