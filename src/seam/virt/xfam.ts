/** XFAM: the extended features a TD may use, and what each brings. Source: TDX Module 1.5 ABI Definition, "XFAM". */
import { MODULE_1_5, MODULE_2_0, type ModuleVersion, XFAM_ALLOWED, XFAM_REQUIRED, Xfam } from '../../abi/index.ts';
import { type CpuidValues, NO_BITS } from './cpuid-values.ts';

/** Are all bits known, of this processor (`supported`), and legal together? */
export function isLegalXfam(xfam: bigint, supported: bigint): boolean {
  if ((xfam & ~(XFAM_ALLOWED & supported)) !== 0n || (xfam & XFAM_REQUIRED) !== XFAM_REQUIRED) return false;
  const all = (bits: bigint) => (xfam & bits) === bits || (xfam & bits) === 0n;
  const avx512 = (xfam & Xfam.AVX512) !== 0n;
  return all(Xfam.AVX512) && all(Xfam.CET) && all(Xfam.AMX) && (!avx512 || (xfam & Xfam.AVX) !== 0n);
}

/** CPUID bits that are 0 unless all of `xfam` is set. */
export interface XfamCpuidRow {
  readonly xfam: bigint;
  readonly leaf: number;
  readonly subleaf: number;
  readonly modules: readonly ModuleVersion[];
  readonly bits: CpuidValues;
}

const BOTH = [MODULE_1_5, MODULE_2_0] as const;
const row = (
  xfam: bigint,
  leaf: number,
  subleaf: number,
  bits: Partial<CpuidValues>,
  modules: readonly ModuleVersion[] = BOTH,
): XfamCpuidRow => ({ xfam, leaf, subleaf, modules, bits: { ...NO_BITS, ...bits } });

/** Source: TDX Module 1.5 ABI Definition, "CPUID Virtualization"; module 1.5.01 and 2.0 source, cpuid_configurations.c. */
export const XFAM_CPUID_ROWS: readonly XfamCpuidRow[] = [
  row(Xfam.AVX, 1, 0, { ecx: 0x30001000 }),
  row(Xfam.AVX, 7, 0, { ebx: 0x20, ecx: 0x600 }),
  row(Xfam.AVX, 7, 1, { eax: 0x00800010, edx: 0x430 }, [MODULE_2_0]),
  row(Xfam.AVX, 0xd, 0, { eax: 0x4 }),
  row(Xfam.AVX512, 7, 0, { ebx: 0xdc230000, ecx: 0x5842, edx: 0x0080010c }),
  row(Xfam.AVX512, 7, 1, { eax: 0x30 }, [MODULE_1_5]),
  row(Xfam.AVX512, 7, 1, { eax: 0x21 }, [MODULE_2_0]),
  row(Xfam.AVX512, 0xd, 0, { eax: 0xe0 }),
  row(Xfam.PT, 7, 0, { ebx: 0x02000000 }),
  row(Xfam.PT, 0xd, 1, { ecx: 0x100 }),
  row(Xfam.PKRU, 7, 0, { ecx: 0x8 }),
  row(Xfam.PKRU, 0xd, 0, { eax: 0x200 }),
  row(Xfam.CET, 7, 0, { ecx: 0x80, edx: 0x100000 }),
  row(Xfam.CET, 0xd, 1, { ecx: 0x1800 }),
  row(Xfam.UINTR, 7, 0, { edx: 0x20 }),
  row(Xfam.UINTR, 0xd, 1, { ecx: 0x4000 }),
  row(Xfam.LBR, 7, 0, { edx: 0x80000 }),
  row(Xfam.LBR, 0xd, 1, { ecx: 0x8000 }),
  row(Xfam.AMX, 7, 0, { edx: 0x03400000 }),
  row(Xfam.AMX, 7, 1, { eax: 0x00200000 }, [MODULE_2_0]),
  row(Xfam.AMX, 0xd, 0, { eax: 0x60000 }),
];
