/** The four registers that one CPUID leaf answers with; as masks: bits of them. */
import type { CpuidRegister } from '../../isa/index.ts';

export type CpuidValues = Readonly<Record<CpuidRegister, number>>;

export const CPUID_REGISTERS = ['eax', 'ebx', 'ecx', 'edx'] as const satisfies readonly CpuidRegister[];

export const NO_BITS: CpuidValues = { eax: 0, ebx: 0, ecx: 0, edx: 0 };
export const ALL_BITS: CpuidValues = { eax: -1, ebx: -1, ecx: -1, edx: -1 };
