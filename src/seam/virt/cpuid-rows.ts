/**
 * CPUID as a TD sees it: one row a leaf and sub-leaf, for each module. A bit is 0 or 1 for every TD, or chosen by the host at
 * TDH.MNG.INIT (`direct`: as it says; `allow`: 1 if it says so and the processor has it), or native. What depends on more than the
 * row (XFAM, ATTRIBUTES, run time) is in cpuid-rules.ts and td-exit/cpuid.ts.
 */
import { cpuidConfigOrder, MODULE_1_5, MODULE_2_0, type ModuleVersion } from '../../abi/index.ts';
import type { CpuidRegister } from '../../isa/index.ts';
import { ALL_BITS, type CpuidValues, NO_BITS } from './cpuid-values.ts';

type Bits = Partial<CpuidValues>;

export interface CpuidRow {
  readonly name: string;
  readonly leaf: number;
  /** undefined: the leaf has none and ignores ECX */
  readonly subleaf: number | undefined;
  /** place in the module's own table, which CPUID_CONTROL counts by; -1: not in it */
  readonly index: number;
  readonly modules: readonly ModuleVersion[];
  /** when it is #VE; never, if absent */
  readonly ve?: CpuidVe;
  /** 0 for every TD, or computed when it is asked */
  readonly zero: CpuidValues;
  /** 1 for every TD */
  readonly one: CpuidValues;
  readonly direct: CpuidValues;
  readonly allow: CpuidValues;
  /** what the module demands of the processor before it starts */
  readonly demanded?: { readonly mask: CpuidValues; readonly value: CpuidValues };
  readonly source: string;
}

/** What makes a leaf #VE although it has a row. From REDUCE_VE on: unless the TD set TD_CTLS.REDUCE_VE. */
export type CpuidVe = 'always' | 'unless REDUCE_VE' | 'unless VIRT_CPUID2' | 'unless ENUM_TOPOLOGY' | CpuidFeatureVe;
/** #VE unless REDUCE_VE, and then still if the feature is on for the TD. */
export type CpuidFeatureVe = 'DCA' | 'RDT_M' | 'RDT_A' | 'PCONFIG';

interface Cells {
  readonly ve?: CpuidVe;
  readonly zero?: Bits;
  readonly one?: Bits;
  readonly direct?: Bits;
  readonly allow?: Bits;
  readonly demanded?: { readonly mask: Bits; readonly value?: Bits };
}

const BOTH = [MODULE_1_5, MODULE_2_0] as const;
const ONLY_1_5 = [MODULE_1_5] as const;
const ONLY_2_0 = [MODULE_2_0] as const;
const SOURCE_1_5 =
  'TDX Module 1.5 ABI Definition, "CPUID Virtualization"; module 1.5.01 source, cpuid_configurations.c';
const SOURCE_2_0 = 'TDX Module 2.0 ABI Definition, "CPUID Virtualization"; module 2.0 source, cpuid_configurations.c';

const full = (bits: Bits = {}): CpuidValues => ({ ...NO_BITS, ...bits });

const row = (
  index: number,
  leaf: number,
  subleaf: number | undefined,
  modules: readonly ModuleVersion[],
  { ve, zero, one, direct, allow, demanded }: Cells,
): CpuidRow => ({
  name: `CPUID.${leaf.toString(16).toUpperCase()}H${subleaf === undefined ? '' : `.${subleaf}`}`,
  leaf,
  subleaf,
  index,
  modules,
  ...(ve === undefined ? {} : { ve }),
  zero: full(zero),
  one: full(one),
  direct: full(direct),
  allow: full(allow),
  ...(demanded === undefined
    ? {}
    : { demanded: { mask: full(demanded.mask), value: full(demanded.value ?? demanded.mask) } }),
  source: modules === ONLY_2_0 ? SOURCE_2_0 : SOURCE_1_5,
});

const ONES = -1;
const NOTHING = { zero: ALL_BITS } as const;
const NO_EDX = { zero: { edx: ONES } } as const;
const CACHE_DIRECT = { eax: 0xffffc3ff, ebx: 0xfffff000, ecx: ONES };
const LINE_OF_64 = { mask: { ebx: 0xfff }, value: { ebx: 0x3f } };
const TOPOLOGY: Cells = {
  ve: 'unless ENUM_TOPOLOGY',
  zero: { eax: 0xffffffe0, ebx: 0xffff0000, ecx: 0xffff0000, edx: ONES },
};
const TOPOLOGY_DIRECT = { direct: { eax: 0x1f, ebx: 0xffff, ecx: 0xffff } } as const;
const NATIVE_MODEL = { direct: { edx: 0x03ffc000 } } as const;

const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

export const CPUID_ROWS: readonly CpuidRow[] = [
  row(10, 0, undefined, BOTH, {
    zero: { eax: 0xffffffdc },
    one: { eax: 0x23 },
    demanded: {
      mask: { ebx: ONES, ecx: ONES, edx: ONES },
      value: { ebx: 0x756e6547, ecx: 0x6c65746e, edx: 0x49656e69 },
    },
  }),
  row(0, 1, undefined, ONLY_1_5, {
    zero: { eax: 0xf000c000, ebx: 0xff0000ff, ecx: 0x08010060, edx: 0x40120400 },
    one: { ecx: 0x80000000, edx: 0x200 },
    direct: { eax: 0x0fff3fff, ebx: 0x00ff0000 },
    allow: { ecx: 0x31044d88, edx: 0xb8440000 },
    demanded: {
      mask: { ebx: 0xff00, ecx: 0x47faa217, edx: 0x1fa9fbff },
      value: { ebx: 0x0800, ecx: 0x47faa217, edx: 0x1fa9fbff },
    },
  }),
  row(0, 1, undefined, ONLY_2_0, {
    zero: { eax: 0xf000c000, ebx: 0xff0000ff, ecx: 0x08010060, edx: 0x40120400 },
    one: { ecx: 0x80000000, edx: 0x200 },
    direct: { eax: 0x0fff3fff, ebx: 0x00ff0000 },
    allow: { ecx: 0x31044d88, edx: 0xb8445080 },
    demanded: {
      mask: { ebx: 0xff00, ecx: 0x47faa217, edx: 0x1fa9fbff },
      value: { ebx: 0x0800, ecx: 0x47faa217, edx: 0x1fa9fbff },
    },
  }),
  row(72, 2, undefined, ONLY_2_0, {
    ve: 'unless VIRT_CPUID2',
    zero: { eax: 0xff0100fe, ebx: ONES, ecx: ONES, edx: ONES },
    one: { eax: 0x00feff01 },
  }),
  row(11, 3, undefined, BOTH, NOTHING),
  ...range(0, 2).map((subleaf) =>
    row(1 + subleaf, 4, subleaf, ONLY_1_5, {
      zero: { eax: 0x3c00, edx: 4 },
      direct: { ...CACHE_DIRECT, edx: 0xfffffffb },
      demanded: LINE_OF_64,
    }),
  ),
  row(4, 4, 3, ONLY_1_5, {
    zero: { eax: 0x3c00, edx: 0xfffffff8 },
    direct: { ...CACHE_DIRECT, edx: 7 },
    demanded: { mask: { eax: 0xe0, ebx: 0xfff, edx: 1 }, value: { eax: 0x60, ebx: 0x3f } },
  }),
  ...range(0, 3).map((subleaf) =>
    row(1 + subleaf, 4, subleaf, ONLY_2_0, {
      zero: { eax: 0x3c00, edx: 0xfffffff8 },
      direct: { ...CACHE_DIRECT, edx: 7 },
      demanded: LINE_OF_64,
    }),
  ),
  row(12, 4, 4, BOTH, NOTHING),
  row(63, 5, undefined, BOTH, { zero: { eax: 0xffff0000, ebx: 0xffff0000, ecx: 0xfffffffc } }),
  row(13, 6, undefined, ONLY_1_5, { ve: 'always' }),
  row(13, 6, undefined, ONLY_2_0, { ve: 'unless REDUCE_VE', zero: { ...ALL_BITS, eax: 0xfffffffb }, one: { eax: 4 } }),
  row(5, 7, 0, ONLY_1_5, {
    zero: { ebx: 0x00404006, ecx: 0x643e8010, edx: 0x002298c3 },
    allow: { ebx: 0xdc2b9b18, ecx: 0x02417f65, edx: 0x0005411c },
    demanded: {
      mask: { eax: ONES, ebx: 0x219424c3, ecx: 0x99000000, edx: 0xfc082600 },
      value: { eax: 2, ebx: 0x219424c3, ecx: 0x99000000, edx: 0xfc080400 },
    },
  }),
  row(5, 7, 0, ONLY_2_0, {
    zero: { ebx: 0x00404006, ecx: 0x643e8010, edx: 0x002298c3 },
    allow: { ebx: 0xdc2b9b18, ecx: 0x02417f65, edx: 0x4005411c },
    demanded: {
      mask: { eax: ONES, ebx: 0x219424c3, ecx: 0x99000000, edx: 0xfc082600 },
      value: { eax: 2, ebx: 0x219424c3, ecx: 0x99000000, edx: 0xfc080400 },
    },
  }),
  row(6, 7, 1, ONLY_1_5, { zero: { eax: 0xffffe2cf, ebx: ONES, ecx: ONES, edx: ONES }, allow: { eax: 0x1d30 } }),
  row(6, 7, 1, ONLY_2_0, {
    zero: { eax: 0xfb57e200, ebx: ONES, ecx: ONES, edx: 0xfffdbbcf },
    allow: { eax: 0x04a81dbf, edx: 0x24430 },
  }),
  row(14, 7, 2, BOTH, {
    zero: { eax: ONES, ebx: ONES, ecx: ONES, edx: 0xffffffc0 },
    allow: { edx: 0x28 },
    demanded: { mask: { edx: 0x17 } },
  }),
  row(15, 8, undefined, BOTH, NOTHING),
  row(-1, 9, undefined, ONLY_2_0, { ve: 'DCA', ...NOTHING }),
  row(7, 0xa, undefined, BOTH, {
    zero: { edx: 0xffff6000 },
    demanded: { mask: { eax: 0xff00, ecx: 0xffffff80, edx: 0x8000 }, value: { eax: 0x800, edx: 0x8000 } },
  }),
  row(64, 0xb, 0, ONLY_2_0, TOPOLOGY),
  row(65, 0xb, 1, ONLY_2_0, TOPOLOGY),
  row(66, 0xb, 2, ONLY_2_0, { ...TOPOLOGY, zero: { ...ALL_BITS, ecx: 0xffffff00 } }),
  row(-1, 0xc, undefined, ONLY_2_0, { ve: 'unless REDUCE_VE', ...NOTHING }),
  row(16, 0xd, 0, BOTH, { zero: { eax: 0xfff9fd18, ebx: ONES, edx: ONES }, demanded: { mask: { eax: 3 } } }),
  row(17, 0xd, 1, BOTH, {
    zero: { eax: 0xffffffe0, ebx: ONES, ecx: 0xffff26ff, edx: ONES },
    demanded: { mask: { eax: 0xf, ecx: 0x1800 } },
  }),
  ...range(2, 0x12).map((subleaf) => row(16 + subleaf, 0xd, subleaf, BOTH, NO_EDX)),
  row(35, 0xe, undefined, BOTH, NOTHING),
  row(-1, 0xf, undefined, ONLY_2_0, { ve: 'RDT_M', ...NOTHING }),
  row(-1, 0x10, undefined, ONLY_2_0, { ve: 'RDT_A', ...NOTHING }),
  row(36, 0x11, undefined, BOTH, NOTHING),
  row(37, 0x12, undefined, BOTH, NOTHING),
  row(38, 0x13, undefined, BOTH, NOTHING),
  row(39, 0x14, 0, BOTH, {
    zero: { ebx: 0xfffffe00, ecx: 0x7ffffff0, edx: ONES },
    demanded: { mask: { eax: ONES }, value: { eax: 1 } },
  }),
  row(40, 0x14, 1, BOTH, { zero: { eax: 0xfff8, ecx: ONES, edx: ONES } }),
  row(41, 0x15, undefined, BOTH, {
    zero: { eax: 0xfffffffe, ecx: 0xfe8287bf, edx: ONES },
    one: { eax: 1, ecx: 25_000_000 },
  }),
  row(-1, 0x16, undefined, ONLY_2_0, { ve: 'unless REDUCE_VE', ...NOTHING }),
  row(-1, 0x17, undefined, ONLY_2_0, { ve: 'unless REDUCE_VE', ...NOTHING }),
  ...[68, 69, 70, 71, 73, 74, 75, 76, 77].map((index, subleaf) => row(index, 0x18, subleaf, ONLY_2_0, NATIVE_MODEL)),
  row(42, 0x19, undefined, ONLY_1_5, { zero: { eax: 0xfffffff8, ebx: 0xffffffeb, ecx: 0xfffffffd, edx: ONES } }),
  row(42, 0x19, undefined, ONLY_2_0, NOTHING),
  row(67, 0x1a, undefined, ONLY_2_0, { zero: { ebx: ONES, ecx: ONES, edx: ONES } }),
  row(-1, 0x1b, undefined, ONLY_2_0, { ve: 'PCONFIG', ...NOTHING }),
  row(8, 0x1c, undefined, BOTH, { allow: { eax: 0xff } }),
  row(43, 0x1d, 0, BOTH, {}),
  row(44, 0x1d, 1, BOTH, {}),
  row(45, 0x1e, undefined, BOTH, {}),
  ...range(0, 5).map((subleaf) => row(46 + subleaf, 0x1f, subleaf, ONLY_1_5, { ve: 'always' })),
  ...range(0, 5).map((subleaf) => row(46 + subleaf, 0x1f, subleaf, ONLY_2_0, { ...TOPOLOGY, ...TOPOLOGY_DIRECT })),
  row(52, 0x20, undefined, BOTH, NOTHING),
  row(53, 0x21, 0, BOTH, {
    zero: { eax: ONES, ebx: 0x9a8b91b6, ecx: 0xdfdfdfdf, edx: 0xa7bbab93 },
    one: { ebx: 0x65746e49, ecx: 0x20202020, edx: 0x5844546c },
  }),
  row(58, 0x22, undefined, BOTH, NOTHING),
  row(59, 0x23, 0, BOTH, { zero: { eax: 0xfffffff0, ecx: ONES, edx: ONES }, allow: { eax: 0xf } }),
  row(60, 0x23, 1, BOTH, { zero: { ecx: ONES, edx: ONES } }),
  row(61, 0x23, 2, BOTH, NOTHING),
  row(62, 0x23, 3, BOTH, { zero: { ebx: ONES, ecx: ONES, edx: ONES } }),
  row(54, 0x80000000, undefined, BOTH, {
    zero: { eax: 0x7ffffff7, ebx: ONES, ecx: ONES, edx: ONES },
    one: { eax: 0x80000008 },
  }),
  row(55, 0x80000001, undefined, BOTH, {
    zero: { eax: ONES, ecx: 0xfffffede, edx: 0xd3efffff },
    demanded: { mask: { ecx: 0x121, edx: 0x2c100800 } },
  }),
  row(78, 0x80000002, undefined, ONLY_2_0, {
    ve: 'unless REDUCE_VE',
    zero: { eax: 0x9a8b91b6, ebx: 0xa7dfbbab, ecx: 0x93dfdfdf, edx: ONES },
    one: { eax: 0x65746e49, ebx: 0x58204454, ecx: 0x6c202020 },
  }),
  ...range(0x80000003, 0x80000005).map((leaf) =>
    row(-1, leaf, undefined, ONLY_2_0, { ve: 'unless REDUCE_VE', ...NOTHING }),
  ),
  row(56, 0x80000006, undefined, ONLY_1_5, {
    ve: 'always',
    demanded: { mask: { ecx: 0xff }, value: { ecx: 0x40 } },
  }),
  row(56, 0x80000006, undefined, ONLY_2_0, {
    zero: { ...ALL_BITS, ecx: 0x8fbf },
    one: { ecx: 0x7040 },
    demanded: { mask: { ecx: 0xff }, value: { ecx: 0x40 } },
  }),
  row(57, 0x80000007, undefined, BOTH, {
    zero: { ...ALL_BITS, edx: 0xfffffeff },
    demanded: { mask: { edx: 0x100 } },
  }),
  row(9, 0x80000008, undefined, ONLY_1_5, {
    zero: { eax: 0xffff0000, ebx: 0xfffffdff, ecx: ONES, edx: ONES },
    allow: { ebx: 0x200 },
    demanded: { mask: { eax: 0xff, ebx: 0x200 }, value: { eax: 52, ebx: 0x200 } },
  }),
  row(9, 0x80000008, undefined, ONLY_2_0, {
    zero: { ebx: 0xfffffdff, ecx: ONES, edx: ONES },
    direct: { eax: 0xff },
    allow: { ebx: 0x200 },
    demanded: { mask: { ebx: 0x200 } },
  }),
];

/** The rows of one module. */
export const cpuidRowsOf = (version: ModuleVersion): readonly CpuidRow[] =>
  CPUID_ROWS.filter(({ modules }) => modules.includes(version));

/** A leaf of CPUID_CONFIG with the bits that a host may choose; sub-leaf -1: it has none. */
export interface ConfigurableCpuid {
  readonly leaf: number;
  readonly subleaf: number;
  readonly bits: CpuidValues;
}

/** In the order of CPUID_CONFIG. */
export function configurableCpuid(version: ModuleVersion): readonly ConfigurableCpuid[] {
  const rows = cpuidRowsOf(version);
  return cpuidConfigOrder(version).map(([leaf, subleaf]) => {
    const { direct, allow } = rows.find((row) => row.leaf === leaf && (row.subleaf ?? -1) === subleaf)!;
    const either = (register: CpuidRegister) => direct[register] | allow[register];
    return { leaf, subleaf, bits: { eax: either('eax'), ebx: either('ebx'), ecx: either('ecx'), edx: either('edx') } };
  });
}

/** The leaf that stands in for one above the range. */
export const MAXIMUM_BASIC_LEAF = 0x23;
export const MAXIMUM_EXTENDED_LEAF = 0x8000_0008;
