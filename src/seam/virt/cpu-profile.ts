/** What the processor under the module is: the native CPUID that virtualization starts from, and the MSRs that go with it. */
import { cpuidFeature } from '../../isa/index.ts';
import type { CpuidValues } from './cpuid-values.ts';

/** IA32_ARCH_CAPABILITIES by bit. Source: SDM vol. 4, "Architectural MSRs". */
export const ArchCapability = {
  RDCL_NO: 0,
  IBRS_ALL: 1,
  RSBA: 2,
  SKIP_L1DFL_VMENTRY: 3,
  SSB_NO: 4,
  MDS_NO: 5,
  PSCHANGE_MC_NO: 6,
  TSX_CTRL: 7,
  TAA_NO: 8,
  SBDR_SSDP_NO: 13,
  FBSDP_NO: 14,
  PSDP_NO: 15,
  BHI_NO: 20,
  XAPIC_DISABLE_STATUS: 21,
  PBRSB_NO: 24,
  GDS_NO: 26,
  RFDS_NO: 27,
  ITS_NO: 62,
} as const;

/** Numbers of a leaf that are no feature bits. */
export interface CpuidNumbers extends Partial<CpuidValues> {
  readonly leaf: number;
  readonly subleaf?: number;
}

export interface CpuProfile {
  /** as a person asks for it: `--cpu spr` */
  readonly name: string;
  /** one line for --help */
  readonly summary: string;
  /** CPUID bits that are 1, by the names of CPUID_FEATURES */
  readonly features: readonly string[];
  readonly numbers: readonly CpuidNumbers[];
  readonly archCapabilities: readonly (keyof typeof ArchCapability)[];
}

const keyOf = (leaf: number, subleaf: number): number => leaf * 0x100 + subleaf;

/** A profile as the processor answers CPUID: every leaf that is not there is zero. */
export class NativeCpuid {
  readonly #values = new Map<number, Record<'eax' | 'ebx' | 'ecx' | 'edx', number>>();

  constructor({ numbers, features }: CpuProfile) {
    for (const { leaf, subleaf = 0, eax = 0, ebx = 0, ecx = 0, edx = 0 } of numbers)
      Object.assign(this.#entry(leaf, subleaf), { eax, ebx, ecx, edx });
    for (const name of features) {
      const { leaf, subleaf, register, bit } = cpuidFeature(name);
      this.#entry(leaf, subleaf)[register] |= 1 << bit;
    }
  }

  #entry(leaf: number, subleaf: number): Record<'eax' | 'ebx' | 'ecx' | 'edx', number> {
    const key = keyOf(leaf, subleaf);
    let entry = this.#values.get(key);
    if (entry === undefined) this.#values.set(key, (entry = { eax: 0, ebx: 0, ecx: 0, edx: 0 }));
    return entry;
  }

  read(leaf: number, subleaf = 0): CpuidValues {
    return this.#values.get(keyOf(leaf, subleaf)) ?? { eax: 0, ebx: 0, ecx: 0, edx: 0 };
  }

  has(feature: string): boolean {
    const { leaf, subleaf, register, bit } = cpuidFeature(feature);
    return ((this.read(leaf, subleaf)[register] >>> bit) & 1) !== 0;
  }

  /** XFAM bits of the extended states it has; x87 and SSE need no XSAVE. */
  get xfam(): bigint {
    if (!this.has('XSAVE')) return 3n;
    return BigInt(this.read(0xd).eax >>> 0) | BigInt(this.read(0xd, 1).ecx >>> 0);
  }
}

/** The bits of IA32_ARCH_CAPABILITIES. */
export function archCapabilitiesOf({ archCapabilities }: CpuProfile): bigint {
  return archCapabilities.reduce((value, name) => value | (1n << BigInt(ArchCapability[name])), 0n);
}
