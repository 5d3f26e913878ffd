/** The CPUID bits a host chooses for its TDs: CPUID_CONFIG of TD_PARAMS, within what the module lets it choose. */
import { CPUID_CONFIG_ORDER, type CpuidConfigValue } from '../abi/index.ts';

const NOTHING: CpuidConfigValue = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

/** Bits by the SDM's names (vol. 2, "CPUID"). */
const Leaf1Ecx = { TSC_DEADLINE: 1 << 24 } as const;
const Leaf1Edx = { SS: 1 << 27, HTT: 1 << 28 } as const;
const Leaf7Ebx = { BMI1: 1 << 3, BMI2: 1 << 8, ERMS: 1 << 9, ADX: 1 << 19 } as const;
const Leaf7Edx = { FSRM: 1 << 4 } as const;

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
        ecx: Leaf1Ecx.TSC_DEADLINE,
        edx: Leaf1Edx.SS | (vcpus > 1 ? Leaf1Edx.HTT : 0),
      };
    case 4:
      return [
        cache(vcpus, CacheType.Data, 1, 8, 64),
        cache(vcpus, CacheType.Instruction, 1, 8, 64),
        cache(vcpus, CacheType.Unified, 2, 16, 1024),
        cache(vcpus, CacheType.Unified, 3, 16, 16384, vcpus),
      ][subleaf]!;
    case 7:
      return subleaf === 0
        ? { ...NOTHING, ebx: Leaf7Ebx.BMI1 | Leaf7Ebx.BMI2 | Leaf7Ebx.ERMS | Leaf7Ebx.ADX, edx: Leaf7Edx.FSRM }
        : NOTHING;
    default:
      return NOTHING;
  }
}

/** @param choosable masks of the bits that may be chosen, in the order of CPUID_CONFIG_ORDER */
export function cpuidConfig(choosable: readonly CpuidConfigValue[], vcpus: number): CpuidConfigValue[] {
  return CPUID_CONFIG_ORDER.map(([leaf, subleaf], index) => {
    const want = wanted(leaf, subleaf, vcpus);
    const mask = choosable[index] ?? NOTHING;
    return { eax: want.eax & mask.eax, ebx: want.ebx & mask.ebx, ecx: want.ecx & mask.ecx, edx: want.edx & mask.edx };
  });
}
