/** CPUID as the host answers it: the leaves for which the module gives the guest a #VE. */

export interface CpuidResult {
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

const NOTHING: CpuidResult = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

/** "KVMK" "VMKV" "M\0\0\0": Linux stays in x2APIC mode and leaves MTRRs alone under a hypervisor it knows. */
const HYPERVISOR: CpuidResult = { eax: 0x4000_0001, ebx: 0x4b4d_564b, ecx: 0x564b_4d56, edx: 0x4d };
/** no paravirtual feature */
const HYPERVISOR_FEATURES = NOTHING;

/** ECX 15:8 of a topology sub-leaf */
const LevelType = { Smt: 1, Core: 2 } as const;

/** Always answers: firmware that is refused CPUID stops for good. */
export function hostCpuid(leaf: number, subleaf: number, apicId: number, vcpuCount: number): CpuidResult {
  switch (leaf >>> 0) {
    case 0x4000_0000:
      return HYPERVISOR;
    case 0x4000_0001:
      return HYPERVISOR_FEATURES;
    case 0x06:
      return { ...NOTHING, eax: 1 << 2 }; // ARAT: the APIC timer runs in every power state
    case 0x0b:
    case 0x1f:
      return topology(subleaf, apicId, vcpuCount);
    default:
      return NOTHING;
  }
}

/** One thread per core, one package. EDX is the x2APIC id whatever the sub-leaf is. */
function topology(subleaf: number, apicId: number, vcpuCount: number): CpuidResult {
  const level = subleaf & 0xff;
  const rest = { ecx: level, edx: apicId };
  if (subleaf === 0) return { eax: 0, ebx: 1, ...rest, ecx: (LevelType.Smt << 8) | level };
  if (subleaf === 1)
    return { eax: 32 - Math.clz32(vcpuCount - 1), ebx: vcpuCount, ...rest, ecx: (LevelType.Core << 8) | level };
  return { eax: 0, ebx: 0, ...rest };
}
