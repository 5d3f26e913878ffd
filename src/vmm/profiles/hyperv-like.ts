/**
 * A host with Hyper-V's interface and no paravisor, as far as its guests in public sources rely on it. Hyper-V's own answers are not
 * published, hence the name.
 */
import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import { CPUID_NOTHING, type CpuidRow, MACHINE_CPUID } from '../cpuid.ts';
import type { Tdvmcall } from '../tdvmcall/tdvmcall.ts';
import type { HostProfile } from './host-profile.ts';

const TLFS = 'Hypervisor Top Level Functional Specification 6.0b';
const LINUX = 'Linux 6.12';

/** "HV_PARTITION_PRIVILEGE_MASK": AccessHypercallMsrs, AccessVpIndex; Isolation */
const Privilege = { hypercallMsrs: 1 << 5, vpIndex: 1 << 6, isolationHigh: 1 << 22 } as const;
/** type 3 is TDX; bit 0 of EAX would be a paravisor */
const ISOLATION_TDX = 3;
const MOST_VPS = 2048;

const CPUID: readonly CpuidRow[] = [
  { leaf: 0x4000_0000, answer: { eax: 0x4000_000c, ebx: 0x7263_694d, ecx: 0x666f_736f, edx: 0x7648_2074 } },
  { leaf: 0x4000_0001, answer: { ...CPUID_NOTHING, eax: 0x3123_7648 } },
  { leaf: 0x4000_0002, answer: { eax: 26100, ebx: 10 << 16, ecx: 0, edx: 0 } },
  {
    leaf: 0x4000_0003,
    answer: { eax: Privilege.hypercallMsrs | Privilege.vpIndex, ebx: Privilege.isolationHigh, ecx: 0, edx: 0 },
  },
  { leaf: 0x4000_0004, answer: CPUID_NOTHING },
  { leaf: 0x4000_0005, answer: { ...CPUID_NOTHING, eax: MOST_VPS } },
  { leaf: 0x4000_0006, answer: CPUID_NOTHING },
  { leaf: 0x4000_000c, answer: { ...CPUID_NOTHING, ebx: ISOLATION_TDX } },
];

/** "HV_STATUS_INVALID_HYPERCALL_CODE" */
const INVALID_HYPERCALL_CODE = 2;

/** R10 is a hypercall's control word, RDX and R8 its pages; the result is in R11. No hypercall is implemented. */
function hypercall({ registers }: Tdvmcall): TdvmcallStatus {
  registers.set(Gpr.R11, INVALID_HYPERCALL_CODE, 0);
  return TdvmcallStatus.SUCCESS;
}

export const HYPERV_LIKE: HostProfile = {
  name: 'hyperv-like',
  description: "Hyper-V's interface without a paravisor, as its guests rely on it",
  cpuid: [...CPUID, ...MACHINE_CPUID],
  msrs: [
    {
      index: 0x4000_0000,
      name: 'HV_X64_MSR_GUEST_OS_ID',
      value: 0n,
      write: 'stored',
      reason: 'a guest says who it is',
    },
    {
      index: 0x4000_0001,
      name: 'HV_X64_MSR_HYPERCALL',
      value: 0n,
      write: 'refused',
      reason: 'there is no page to map',
    },
    {
      index: 0x4000_0002,
      name: 'HV_X64_MSR_VP_INDEX',
      value: (vcpuIndex) => BigInt(vcpuIndex),
      write: 'refused',
      reason: 'a guest numbers its processors by it',
    },
    { index: 0x8b, name: 'IA32_BIOS_SIGN_ID', value: 0n, write: 'ignored', reason: 'written 0 before it is read' },
    { index: 0xfe, name: 'IA32_MTRRCAP', value: 0n, write: 'refused', reason: 'no MTRRs to program' },
    { index: 0x179, name: 'IA32_MCG_CAP', value: 0n, write: 'refused', reason: 'no machine-check banks' },
    {
      index: 0x17a,
      name: 'IA32_MCG_STATUS',
      value: 0n,
      write: 'ignored',
      reason: 'the poll treats a refusal as fatal',
    },
    { index: 0x2ff, name: 'IA32_MTRR_DEF_TYPE', value: 0n, write: 'refused', reason: 'off: to set them takes CR0.CD' },
  ],
  cutsWideOperands: false,
  unknownSubFunction: TdvmcallStatus.INVALID_OPERAND,
  refused: new Map([
    [TdvmcallLeaf.INSTRUCTION_WBINVD, TdvmcallStatus.INVALID_OPERAND],
    [TdvmcallLeaf.INSTRUCTION_PCONFIG, TdvmcallStatus.INVALID_OPERAND],
    [TdvmcallLeaf.SERVICE, TdvmcallStatus.INVALID_OPERAND],
    [TdvmcallLeaf.MIG_TD, TdvmcallStatus.INVALID_OPERAND],
  ]),
  callInfo: undefined,
  vendorCall: hypercall,
  mapGpa: { chunkBytes: Number.POSITIVE_INFINITY, stopsForInterrupts: false, protectsBuffersInUse: false },
  touch: { asPrivate: 'ends', asShared: 'ends' },
  fatalErrorReservedBits: 0n,
  differences: [
    {
      what: 'CPUID 0x40000000 says "Microsoft Hv", leaves up to 0x4000000C describe a TDX-isolated partition without a paravisor',
      source: `${TLFS}, "Feature and Interface Discovery"; ${LINUX}, arch/x86/kernel/cpu/mshyperv.c`,
    },
    {
      what: 'R10 not 0 is a hypercall control word, RDX and R8 its input and output; the result is in R11, and no hypercall is there',
      source: `${LINUX}, arch/x86/hyperv/ivm.c, hv_tdx_hypercall`,
    },
    {
      what: 'MSRs: GUEST_OS_ID and VP_INDEX are there, the hypercall page is not',
      source: `${LINUX}, arch/x86/hyperv/hv_init.c, hyperv_init`,
    },
    {
      what: 'MTRRs are off: a kernel that found them on would set CR0.CD, which no TD may',
      source: `${LINUX}, arch/x86/kernel/cpu/cacheinfo.c, cache_disable; it boots only so`,
    },
    {
      what: 'unknown sub-functions get INVALID_OPERAND',
      source: 'GHCI 1.0, "TDG.VP.VMCALL": the only status it had for them',
    },
  ],
};
