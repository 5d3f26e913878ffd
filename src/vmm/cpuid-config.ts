/** The CPUID bits a host chooses for its TDs: CPUID_CONFIG of TD_PARAMS, within what the module lets it choose. */
import type { CpuidConfigValue } from '../abi/index.ts';

/** Masks of the bits of one leaf that may be chosen; sub-leaf -1: it has none. */
export interface ChoosableCpuid extends CpuidConfigValue {
  readonly leaf: number;
  readonly subleaf: number;
}

const NOTHING: CpuidConfigValue = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

/** Bits by the SDM's names (vol. 2, "CPUID"). */
const Leaf1Ecx = { TSC_DEADLINE: 1 << 24, AVX: 1 << 28, F16C: 1 << 29 } as const;
const Leaf1Edx = { MCE: 1 << 7, MTRR: 1 << 12, MCA: 1 << 14, SS: 1 << 27, HTT: 1 << 28 } as const;
const Leaf7Ebx = { BMI1: 1 << 3, BMI2: 1 << 8, ERMS: 1 << 9, ADX: 1 << 19 } as const;
const Leaf7Ecx = {
  UMIP: 1 << 2,
  GFNI: 1 << 8,
  VAES: 1 << 9,
  VPCLMULQDQ: 1 << 10,
  RDPID: 1 << 22,
  CLDEMOTE: 1 << 25,
} as const;
const Leaf7Edx = { FSRM: 1 << 4, SERIALIZE: 1 << 14 } as const;
const Leaf7_1Eax = { AVX_VNNI: 1 << 4, FZRM: 1 << 10, FSRS: 1 << 11, FSRC: 1 << 12 } as const;
const Leaf7_2Edx = { MCDT_NO: 1 << 5 } as const;
const AddressLeafEbx = { WBNOINVD: 1 << 9 } as const;

const all = (bits: Readonly<Record<string, number>>): number => Object.values(bits).reduce((sum, bit) => sum | bit, 0);

/** ECX 15:8 of a sub-leaf of leaf 0x1F */
const LevelType = { Smt: 1, Core: 2 } as const;

const CacheType = { Data: 1, Instruction: 2, Unified: 3 } as const;
const SELF_INITIALIZING = 1 << 8;

/** What EAX of leaf 4 can say: processors that share a cache, cores of a package. */
const MOST_SHARING = 4096;
const MOST_CORES = 64;

/** One cache of leaf 4, in a package of `cores`: lines of 64 bytes, one partition. */
function cache(cores: number, type: number, level: number, ways: number, sets: number, sharedBy = 1): CpuidConfigValue {
  return {
    eax:
      type |
      (level << 5) |
      SELF_INITIALIZING |
      ((Math.min(sharedBy, MOST_SHARING) - 1) << 14) |
      ((Math.min(cores, MOST_CORES) - 1) << 26),
    ebx: 63 | ((ways - 1) << 22),
    ecx: sets - 1,
    edx: 0,
  };
}

/** Leaf 1 EAX 0 asks for the processor's own family, model and stepping. */
function wanted(leaf: number, subleaf: number, vcpus: number): CpuidConfigValue {
  switch (leaf) {
    case 1:
      return {
        eax: 0,
        ebx: Math.min(vcpus, 255) << 16,
        ecx: all(Leaf1Ecx),
        edx: all(Leaf1Edx) & (vcpus > 1 ? -1 : ~Leaf1Edx.HTT),
      };
    case 4:
      return [
        cache(vcpus, CacheType.Data, 1, 8, 64),
        cache(vcpus, CacheType.Instruction, 1, 8, 64),
        cache(vcpus, CacheType.Unified, 2, 16, 1024),
        cache(vcpus, CacheType.Unified, 3, 16, 16384, vcpus),
      ][subleaf]!;
    case 7:
      return [
        { ...NOTHING, ebx: all(Leaf7Ebx), ecx: all(Leaf7Ecx), edx: all(Leaf7Edx) },
        { ...NOTHING, eax: all(Leaf7_1Eax) },
        { ...NOTHING, edx: all(Leaf7_2Edx) },
      ][subleaf]!;
    case 0x1f:
      return topology(subleaf, vcpus);
    case 0x8000_0008:
      return { ...NOTHING, ebx: all(AddressLeafEbx) };
    default:
      return NOTHING;
  }
}

/** One thread a core, one package (SDM vol. 2, "CPUID", leaf 0x1F). */
function topology(subleaf: number, vcpus: number): CpuidConfigValue {
  if (subleaf === 0) return { ...NOTHING, ebx: 1, ecx: LevelType.Smt << 8 };
  if (subleaf === 1)
    return { ...NOTHING, eax: 32 - Math.clz32(vcpus - 1), ebx: vcpus, ecx: (LevelType.Core << 8) | subleaf };
  return { ...NOTHING, ecx: subleaf };
}

/** @param choosable the bits that may be chosen, in the order of the module; the result is in that order too */
export function cpuidConfig(choosable: readonly ChoosableCpuid[], vcpus: number): CpuidConfigValue[] {
  return choosable.map((mask) => {
    const want = wanted(mask.leaf, mask.subleaf, vcpus);
    return { eax: want.eax & mask.eax, ebx: want.ebx & mask.ebx, ecx: want.ecx & mask.ecx, edx: want.edx & mask.edx };
  });
}
