/** The order in which the module keeps CPUID leaves: what the host configures first. Source: TDX module 1.5.01 source, cpuid_configurations.c. */

/** Stands for "this leaf has no sub-leaves". */
export const NO_SUBLEAF = -1;

const subleaves = (leaf: number, first: number, last: number): (readonly [number, number])[] =>
  Array.from({ length: last - first + 1 }, (_, i) => [leaf, first + i] as const);

/** Leaf and sub-leaf by number: CPUID_CONTROL[n], CPUID_VALID[n] and the order of CPUID_VALUES. */
export const CPUID_ORDER: readonly (readonly [leaf: number, subleaf: number])[] = [
  [1, NO_SUBLEAF],
  ...subleaves(4, 0, 3),
  ...subleaves(7, 0, 1),
  [0xa, NO_SUBLEAF],
  [0x1c, NO_SUBLEAF],
  [0x8000_0008, NO_SUBLEAF],
  [0, NO_SUBLEAF],
  [3, NO_SUBLEAF],
  [4, 4],
  [6, NO_SUBLEAF],
  [7, 2],
  [8, NO_SUBLEAF],
  ...subleaves(0xd, 0, 0x12),
  [0xe, NO_SUBLEAF],
  [0x11, NO_SUBLEAF],
  [0x12, NO_SUBLEAF],
  [0x13, NO_SUBLEAF],
  ...subleaves(0x14, 0, 1),
  [0x15, NO_SUBLEAF],
  [0x19, NO_SUBLEAF],
  ...subleaves(0x1d, 0, 1),
  [0x1e, NO_SUBLEAF],
  ...subleaves(0x1f, 0, 5),
  [0x20, NO_SUBLEAF],
  [0x21, 0],
  [0x8000_0000, NO_SUBLEAF],
  [0x8000_0001, NO_SUBLEAF],
  [0x8000_0006, NO_SUBLEAF],
  [0x8000_0007, NO_SUBLEAF],
  [0x22, NO_SUBLEAF],
  ...subleaves(0x23, 0, 3),
  [5, NO_SUBLEAF],
];

/** Number of a leaf and sub-leaf in the order, -1 if there is none. `subleaf` is ignored where the leaf has none. */
export function cpuidNumber(leaf: number, subleaf: number): number {
  return NUMBERS.get(leaf)?.get(NO_SUBLEAF) ?? NUMBERS.get(leaf)?.get(subleaf) ?? -1;
}

const NUMBERS = new Map<number, Map<number, number>>();
CPUID_ORDER.forEach(([leaf, subleaf], number) => {
  const of = NUMBERS.get(leaf) ?? new Map<number, number>();
  NUMBERS.set(leaf, of.set(subleaf, number));
});

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
