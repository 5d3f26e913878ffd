/** The CPUID of one TD: fixed at TDH.MNG.INIT from the native values, the host's configuration and XFAM. */
import { CPUID_CONFIG_ORDER, type TdParams } from '../../abi/index.ts';
import type { CpuidProfile, CpuidValues } from './cpuid-profile.ts';
import {
  CPUID_CONFIG_MASKS,
  CPUID_ROWS,
  type CpuidRow,
  MAXIMUM_BASIC_LEAF,
  MAXIMUM_EXTENDED_LEAF,
} from './cpuid-rows.ts';

const REGISTERS = ['eax', 'ebx', 'ecx', 'edx'] as const;
/** Leaves whose configurable bits are taken as the host gives them: caches. Elsewhere a bit needs the processor too. */
const CACHE_LEAF = 4;
const CACHE_LINE_EBX = 0x3f;
const CACHE_INVALID_SUBLEAF = 4;
const TSC_LEAF = 0x15;
const TSC_DEADLINE_BIT = 1 << 24;

const HYPERVISOR_BASE = 0x4000_0000;
const HYPERVISOR_END = 0x5000_0000;

const FAMILY_MODEL_STEPPING_INDEX = 0;

/** Index in CPUID_CONFIG of the first entry that asks for what cannot be configured, or -1. */
export function illegalCpuidConfig(profile: CpuidProfile, { cpuidConfig }: TdParams): number {
  return cpuidConfig.findIndex(
    (entry, index) =>
      REGISTERS.some((register) => (entry[register] & ~CPUID_CONFIG_MASKS[index]![register]) !== 0) ||
      (index === FAMILY_MODEL_STEPPING_INDEX && entry.eax !== 0 && entry.eax !== profile.values['1']!.eax),
  );
}

export class CpuidTable {
  /** CPUID.1:EAX of the processor */
  readonly nativeFamilyModelStepping: number;
  /** CR4 bits that the features shown allow, and those the module owns */
  readonly supportedCr4: number;
  readonly #rows = new Map<number, CpuidRow>(CPUID_ROWS.map((row) => [row.leaf, row]));
  readonly #values = new Map<number, Int32Array>();

  constructor(profile: CpuidProfile, params: TdParams) {
    this.nativeFamilyModelStepping = profile.values['1']!.eax;
    for (const row of CPUID_ROWS) {
      if (row.answer !== 'value') continue;
      const [first, last] = row.subleaves ?? [0, 0];
      for (let subleaf = first; subleaf <= last; subleaf++)
        this.#values.set(keyOf(row.leaf, subleaf), compute(profile, params, row, subleaf));
    }
    this.supportedCr4 = this.#computeSupportedCr4();
  }

  /** EAX EBX ECX EDX of a leaf, without what changes at run time; undefined: #VE. `leaf` and `subleaf` unsigned. */
  lookup(leaf: number, subleaf: number): Int32Array | undefined {
    if (leaf >= HYPERVISOR_BASE && leaf < HYPERVISOR_END) return undefined;
    const clamped = leaf > MAXIMUM_EXTENDED_LEAF || (leaf > MAXIMUM_BASIC_LEAF && leaf < 0x8000_0000);
    const row = this.#rows.get(clamped ? MAXIMUM_BASIC_LEAF : leaf);
    if (row === undefined || row.answer === 've') return undefined;
    if (row.subleaves === undefined) return this.#values.get(keyOf(row.leaf, 0));
    return subleaf <= row.subleaves[1] ? this.#values.get(keyOf(row.leaf, subleaf)) : undefined;
  }

  get hasTscDeadline(): boolean {
    return (this.#values.get(keyOf(1, 0))![2]! & TSC_DEADLINE_BIT) !== 0;
  }

  /** Source: SDM vol. 3, "Control Registers", each CR4 bit with the CPUID bit that announces it. */
  #computeSupportedCr4(): number {
    const [, , ecx1, edx1] = this.#values.get(keyOf(1, 0))!;
    const [, ebx7, ecx7] = this.#values.get(keyOf(7, 0))!;
    const announced: readonly (readonly [cr4Bit: number, register: number, cpuidBit: number])[] = [
      [0, edx1!, 1],
      [1, edx1!, 1],
      [2, edx1!, 4],
      [3, edx1!, 2],
      [4, edx1!, 3],
      [5, edx1!, 6],
      [6, edx1!, 7],
      [7, edx1!, 13],
      [9, edx1!, 24],
      [10, edx1!, 25],
      [11, ecx7!, 2],
      [16, ebx7!, 0],
      [17, ecx1!, 17],
      [18, ecx1!, 26],
      [20, ebx7!, 7],
      [21, ebx7!, 20],
      [22, ecx7!, 3],
    ];
    const PCE = 1 << 8;
    const VMXE_SMXE = 3 << 13;
    return announced.reduce(
      (supported, [cr4Bit, register, cpuidBit]) => supported | (((register >>> cpuidBit) & 1) << cr4Bit),
      PCE | VMXE_SMXE,
    );
  }
}

const keyOf = (leaf: number, subleaf: number): number => leaf * 0x20 + subleaf;

function compute(profile: CpuidProfile, params: TdParams, row: CpuidRow, subleaf: number): Int32Array {
  const name = row.leaf.toString(16) + (row.subleaves === undefined ? '' : `.${subleaf}`);
  const native: CpuidValues = profile.values[name] ?? { eax: 0, ebx: 0, ecx: 0, edx: 0 };
  const index = CPUID_CONFIG_ORDER.findIndex(
    ([leaf, configured]) => leaf === row.leaf && (configured < 0 || configured === subleaf),
  );
  const values = Int32Array.from(REGISTERS, (register) => {
    if (index < 0) return native[register];
    const mask = CPUID_CONFIG_MASKS[index]![register];
    const asked = params.cpuidConfig[index]![register] & mask;
    const direct = row.leaf === CACHE_LEAF;
    return (native[register] & ~mask) | (direct ? asked : asked & native[register]);
  });
  // a family, model and stepping of 0 asks for the native ones, any other was checked to be native
  if (row.leaf === 1) {
    values[0] = native.eax;
    values[1] = (native.ebx & 0xffff) | (params.cpuidConfig[index]!.ebx & CPUID_CONFIG_MASKS[index]!.ebx);
  }
  if (row.leaf === CACHE_LEAF && subleaf < CACHE_INVALID_SUBLEAF) values[1] = values[1]! | CACHE_LINE_EBX;
  if (row.leaf === TSC_LEAF) values[1] = params.tscFrequency25Mhz;
  return values;
}
