/** CPUID as the host answers it: the leaves for which the module gives the guest a #VE. */

export interface CpuidResult {
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

export interface CpuidRow {
  readonly leaf: number;
  /** a constant, or what depends on the sub-leaf, the vCPU and their number */
  readonly answer: CpuidResult | ((subleaf: number, apicId: number, vcpuCount: number) => CpuidResult);
}

export const CPUID_NOTHING: CpuidResult = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

/** ARAT: the APIC timer runs in every power state (SDM vol. 2, "CPUID", leaf 6). */
const POWER: CpuidRow = { leaf: 0x06, answer: { ...CPUID_NOTHING, eax: 1 << 2 } };

/** ECX 15:8 of a topology sub-leaf */
const LevelType = { Smt: 1, Core: 2 } as const;

/** One thread per core, one package. EDX is the x2APIC id whatever the sub-leaf is. */
function topology(subleaf: number, apicId: number, vcpuCount: number): CpuidResult {
  const level = subleaf & 0xff;
  const rest = { ecx: level, edx: apicId };
  if (subleaf === 0) return { eax: 0, ebx: 1, ...rest, ecx: (LevelType.Smt << 8) | level };
  if (subleaf === 1)
    return { eax: 32 - Math.clz32(vcpuCount - 1), ebx: vcpuCount, ...rest, ecx: (LevelType.Core << 8) | level };
  return { eax: 0, ebx: 0, ...rest };
}

/** What any host answers about the machine. */
export const MACHINE_CPUID: readonly CpuidRow[] = [
  POWER,
  { leaf: 0x0b, answer: topology },
  { leaf: 0x1f, answer: topology },
];

/** "KVMKVMKVM", no paravirtual feature: Linux stays in x2APIC mode and leaves MTRRs alone under a hypervisor it knows. */
export const KVM_CPUID: readonly CpuidRow[] = [
  { leaf: 0x4000_0000, answer: { eax: 0x4000_0001, ebx: 0x4b4d_564b, ecx: 0x564b_4d56, edx: 0x4d } },
  { leaf: 0x4000_0001, answer: CPUID_NOTHING },
];

/** Always answers: firmware that is refused CPUID stops for good. */
export function answerCpuid(
  rows: readonly CpuidRow[],
  leaf: number,
  subleaf: number,
  apicId: number,
  vcpuCount: number,
): CpuidResult {
  const answer = rows.find((row) => row.leaf === leaf >>> 0)?.answer ?? CPUID_NOTHING;
  return typeof answer === 'function' ? answer(subleaf, apicId, vcpuCount) : answer;
}
