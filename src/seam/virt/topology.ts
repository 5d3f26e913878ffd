/** Virtual topology of module 2.0: CPUID leaf 0xB follows from leaf 0x1F, which the host configures. Source: module 2.0 source, helpers.c; SDM vol. 2, "CPUID" leaves 0xB and 0x1F. */
import type { CpuidValues } from './cpuid-values.ts';

/** ECX 15:8 of a sub-leaf. */
export const LevelType = { INVALID: 0, SMT: 1, CORE: 2, DIE: 5 } as const;

const typeOf = ({ ecx }: CpuidValues): number => (ecx >>> 8) & 0xff;
const SHIFT_MASK = 0x1f;
const level = (type: number, number: number): number => (type << 8) | number;

/** Do the sub-leaves of leaf 0x1F name levels from SMT upwards, each shift at least as wide as the one below, and then nothing? */
export function isLegalTopology(subleaves: readonly CpuidValues[]): boolean {
  let type = 0;
  let shift = 0;
  let ended = false;
  return subleaves.every((values, index) => {
    const next = typeOf(values);
    if (next === LevelType.INVALID) {
      ended = true;
      return true;
    }
    const legal =
      !ended &&
      next > type &&
      next <= LevelType.DIE &&
      (index > 0 || next === LevelType.SMT) &&
      (values.eax & SHIFT_MASK) >= shift;
    type = next;
    shift = values.eax & SHIFT_MASK;
    return legal;
  });
}

/** Sub-leaves 0 to 2 of leaf 0xB: threads, everything above them in the package, and the end. EDX is the reader's x2APIC id. */
export function legacyTopology(subleaves: readonly CpuidValues[]): readonly [CpuidValues, CpuidValues, CpuidValues] {
  const levels = subleaves.filter((values) => typeOf(values) !== LevelType.INVALID);
  const [threads] = levels;
  const widest = levels.at(-1);
  const row = (from: CpuidValues | undefined, type: number, number: number): CpuidValues => ({
    eax: from === undefined ? 0 : from.eax & SHIFT_MASK,
    ebx: from === undefined ? 0 : from.ebx & 0xffff,
    ecx: level(from === undefined ? LevelType.INVALID : type, number),
    edx: 0,
  });
  return [row(threads, LevelType.SMT, 0), row(widest, LevelType.CORE, 1), row(undefined, LevelType.INVALID, 2)];
}
