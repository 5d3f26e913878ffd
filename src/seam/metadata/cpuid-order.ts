/** The order in which the module keeps CPUID leaves: what the host configures first. Source: TDX module 1.5.01 source, cpuid_configurations.c. */
import { MODULE_1_5 } from '../../abi/index.ts';
import { cpuidRowsOf } from '../virt/cpuid-rows.ts';

/** Stands for "this leaf has no sub-leaves". */
export const NO_SUBLEAF = -1;

/** Leaf and sub-leaf by number: CPUID_CONTROL[n], CPUID_VALID[n] and the order of CPUID_VALUES. */
export const CPUID_ORDER: readonly (readonly [leaf: number, subleaf: number])[] = cpuidRowsOf(MODULE_1_5)
  .toSorted((a, b) => a.index - b.index)
  .map(({ leaf, subleaf }) => [leaf, subleaf ?? NO_SUBLEAF] as const);

const SUBLEAF_BITS = 0xfe;
const SUBLEAF_NOT_APPLICABLE = 1 << 8;
const LEAF_SHIFT = 9;
const LEAF_MASK = 0x7f;
const EXTENDED_LEAF = 1 << 16;

/** Field codes of CPUID_VALUES: elements 0 (EAX, EBX) and 1 (ECX, EDX) of each leaf and sub-leaf. */
export const CPUID_VALUE_CODES: readonly number[] = CPUID_ORDER.flatMap(([leaf, subleaf]) => {
  const sub = subleaf === NO_SUBLEAF ? SUBLEAF_NOT_APPLICABLE | SUBLEAF_BITS : subleaf << 1;
  const code = ((leaf & LEAF_MASK) << LEAF_SHIFT) | (leaf >= 0x8000_0000 ? EXTENDED_LEAF : 0) | sub;
  return [code, code | 1];
});

/** The sub-leaf of a code does not count where it says that the leaf has none. */
export function canonicalCpuidCode(code: number): number {
  return (code & SUBLEAF_NOT_APPLICABLE) === 0 ? code : code | SUBLEAF_BITS;
}
