/** What every host on KVM shares: the calls end in the kernel, the rest is up to QEMU or Cloud Hypervisor. */
import { asTdvmcallStatus, Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import { KVM_CPUID, MACHINE_CPUID } from '../cpuid.ts';
import type { HostMsrRow } from '../msrs.ts';
import type { Tdvmcall } from '../tdvmcall/tdvmcall.ts';
import type { Difference, HostProfile } from './host-profile.ts';

const MIB = 1 << 20;
const KVM_SOURCE = 'Linux 6.16, arch/x86/kvm/vmx/tdx.c';
const PARAVIRTUAL_SOURCE = 'Linux 6.16, Documentation/virt/kvm/x86/hypercalls.rst';

/** "KVM_ENOSYS" */
const NO_SUCH_HYPERCALL = asTdvmcallStatus(BigInt.asUintN(64, -1000n));
const HYPERCALL_VAPIC_POLL_IRQ = 1;

/** R10 is the number of a KVM hypercall, and comes back as its result. */
function hypercall({ registers }: Tdvmcall): TdvmcallStatus {
  return registers.number(Gpr.R10) === HYPERCALL_VAPIC_POLL_IRQ ? TdvmcallStatus.SUCCESS : NO_SUCH_HYPERCALL;
}

/** @param machineCheck MCG_CAP as the userspace has set it up, with the number of its banks in bits 7:0 */
function kvmMsrs(machineCheck: bigint): HostMsrRow[] {
  const banks = Number(machineCheck & 0xffn);
  const reason = 'tdx_has_emulated_msr';
  return [
    { index: 0x3a, name: 'IA32_FEATURE_CONTROL', value: 1n, write: 'refused', reason: 'locked, no feature on' },
    { index: 0x8b, name: 'IA32_BIOS_SIGN_ID', value: 0x1_0000_0000n, write: 'ignored', reason },
    { index: 0xce, name: 'PLATFORM_INFO', value: 1n << 31n, write: 'refused', reason },
    { index: 0xfe, name: 'IA32_MTRRCAP', value: 0x508n, write: 'refused', reason: 'eight ranges, fixed ones, WC' },
    { index: 0x140, name: 'MISC_FEATURES_ENABLES', value: 0n, write: 'stored', reason },
    { index: 0x179, name: 'IA32_MCG_CAP', value: machineCheck, write: 'refused', reason },
    { index: 0x17a, name: 'IA32_MCG_STATUS', value: 0n, write: 'stored', reason },
    { index: 0x17b, name: 'IA32_MCG_CTL', value: 2n ** 64n - 1n, write: 'stored', reason },
    { index: 0x1a0, name: 'IA32_MISC_ENABLE', value: 0x1800n, write: 'stored', reason: 'no BTS, no PEBS' },
    { index: 0x1fc, name: 'POWER_CTL', value: 0n, write: 'stored', reason },
    { index: 0x200, count: 16, name: 'IA32_MTRR_PHYSBASE, PHYSMASK', value: 0n, write: 'stored', reason },
    { index: 0x250, name: 'IA32_MTRR_FIX64K', value: 0n, write: 'stored', reason },
    { index: 0x258, count: 2, name: 'IA32_MTRR_FIX16K', value: 0n, write: 'stored', reason },
    { index: 0x268, count: 8, name: 'IA32_MTRR_FIX4K', value: 0n, write: 'stored', reason },
    { index: 0x280, count: banks, name: 'IA32_MC_CTL2', value: 0n, write: 'stored', reason },
    { index: 0x2ff, name: 'IA32_MTRR_DEF_TYPE', value: 0n, write: 'stored', reason },
    { index: 0x400, count: 4 * banks, name: 'IA32_MC_CTL, STATUS, ADDR, MISC', value: 0n, write: 'stored', reason },
  ];
}

const UNSUPPORTED = TdvmcallStatus.SUBFUNC_UNSUPPORTED;

/** Known to the GHCI, not to KVM. */
export const KVM_REFUSED: readonly (readonly [TdvmcallLeaf, TdvmcallStatus])[] = [
  [TdvmcallLeaf.INSTRUCTION_WBINVD, UNSUPPORTED],
  [TdvmcallLeaf.INSTRUCTION_PCONFIG, UNSUPPORTED],
  [TdvmcallLeaf.SERVICE, UNSUPPORTED],
  [TdvmcallLeaf.MIG_TD, UNSUPPORTED],
];

const DIFFERENCES: readonly Difference[] = [
  { what: 'unknown sub-functions get SUBFUNC_UNSUPPORTED', source: `${KVM_SOURCE}, handle_tdvmcall` },
  { what: 'WBINVD, PCONFIG, Service and MigTD are unknown too', source: `${KVM_SOURCE}, handle_tdvmcall` },
  {
    what: 'R10 not 0 is a KVM hypercall; its result, -1000 for an unknown one, comes back in R10',
    source: `${KVM_SOURCE}, tdx_emulate_vmcall; ${PARAVIRTUAL_SOURCE}`,
  },
  {
    what: 'MapGPA goes on in steps of 2 MiB and answers RETRY when an interrupt waits after one',
    source: `${KVM_SOURCE}, tdx_complete_vmcall_map_gpa`,
  },
  {
    what: 'port and MSR numbers are cut to 16 and 32 bits',
    source: `${KVM_SOURCE}, tdx_emulate_io, tdx_handle_exit`,
  },
  {
    what: 'MSRs: MTRRs and machine-check banks are kept, IA32_PLATFORM_ID is refused',
    source: `${KVM_SOURCE}, tdx_has_emulated_msr`,
  },
  { what: 'CPUID 0x40000000 says KVMKVMKVM', source: 'Linux 6.16, Documentation/virt/kvm/x86/cpuid.rst' },
];

/** @param own what the userspace adds */
export function kvmProfile(
  own: Pick<HostProfile, 'name' | 'description' | 'refused' | 'callInfo' | 'touch' | 'fatalErrorReservedBits'> & {
    readonly machineCheck: bigint;
    readonly differences: readonly Difference[];
  },
): HostProfile {
  const { machineCheck, differences, ...rest } = own;
  return {
    ...rest,
    cpuid: [...KVM_CPUID, ...MACHINE_CPUID],
    msrs: kvmMsrs(machineCheck),
    cutsWideOperands: true,
    unknownSubFunction: UNSUPPORTED,
    vendorCall: hypercall,
    mapGpa: { chunkBytes: 2 * MIB, stopsForInterrupts: true, protectsBuffersInUse: false },
    differences: [...DIFFERENCES, ...differences],
  };
}
