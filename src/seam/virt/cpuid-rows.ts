/** Which CPUID leaves the module answers, which bits the host may configure. Source: TDX Module 1.5 ABI Definition, "CPUID Virtualization". */
import type { CpuidValues } from './cpuid-profile.ts';

const CPUID_SOURCE = 'TDX Module 1.5 ABI Definition, "CPUID Virtualization"';

export interface CpuidRow {
  readonly leaf: number;
  /** sub-leaves served, first and last; undefined: the leaf has none and ignores ECX */
  readonly subleaves?: readonly [first: number, last: number];
  /** `value`: answered from the TD's table; `ve`: listed, and always #VE */
  readonly answer: 'value' | 've';
  readonly source: string;
}

const value = (leaf: number, subleaves?: readonly [number, number]): CpuidRow => ({
  leaf,
  ...(subleaves === undefined ? {} : { subleaves }),
  answer: 'value',
  source: CPUID_SOURCE,
});
const ve = (leaf: number): CpuidRow => ({ leaf, answer: 've', source: CPUID_SOURCE });

/** Leaves that are not here are #VE. */
export const CPUID_ROWS: readonly CpuidRow[] = [
  value(0),
  value(1),
  value(3),
  value(4, [0, 4]),
  value(5),
  ve(6),
  value(7, [0, 2]),
  value(8),
  value(0xa),
  value(0xd, [0, 0x12]),
  value(0xe),
  value(0x11),
  value(0x12),
  value(0x13),
  value(0x14, [0, 1]),
  value(0x15),
  value(0x19),
  value(0x1c),
  value(0x1d, [0, 1]),
  value(0x1e),
  ve(0x1f),
  value(0x20),
  value(0x21, [0, 0]),
  value(0x22),
  value(0x23, [0, 3]),
  value(0x8000_0000),
  value(0x8000_0001),
  ve(0x8000_0006),
  value(0x8000_0007),
  value(0x8000_0008),
];

/** The leaf that stands in for one above the range. */
export const MAXIMUM_BASIC_LEAF = 0x23;
export const MAXIMUM_EXTENDED_LEAF = 0x8000_0008;

/** Bits of CPUID_CONFIG that may be set, in the order of TD_PARAMS. */
export const CPUID_CONFIG_MASKS: readonly CpuidValues[] = [
  { eax: 0x0fff3fff, ebx: 0x00ff0000, ecx: 0x31044d88, edx: 0xb8440000 },
  { eax: 0xffffc3ff, ebx: 0xfffff000, ecx: 0xffffffff, edx: 0xfffffffb },
  { eax: 0xffffc3ff, ebx: 0xfffff000, ecx: 0xffffffff, edx: 0xfffffffb },
  { eax: 0xffffc3ff, ebx: 0xfffff000, ecx: 0xffffffff, edx: 0xfffffffb },
  { eax: 0xffffc3ff, ebx: 0xfffff000, ecx: 0xffffffff, edx: 0x00000007 },
  { eax: 0, ebx: 0xdc2b9b18, ecx: 0x02417f65, edx: 0x0005411c },
  { eax: 0x1d30, ebx: 0, ecx: 0, edx: 0 },
  { eax: 0, ebx: 0, ecx: 0, edx: 0 },
  { eax: 0xff, ebx: 0, ecx: 0, edx: 0 },
  { eax: 0, ebx: 0x200, ecx: 0, edx: 0 },
  { eax: 0, ebx: 0, ecx: 0, edx: 0x28 },
  { eax: 0xf, ebx: 0, ecx: 0, edx: 0 },
];
