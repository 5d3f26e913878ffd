/** The CPUID of one TD: fixed at TDH.MNG.INIT from the native values, the host's configuration, XFAM and ATTRIBUTES. */
import { cpuidConfigOrder, isModule20, type ModuleVersion, type TdParams } from '../../abi/index.ts';
import { cpuidFeature } from '../../isa/index.ts';
import { supportedCr4 } from './control-register-rows.ts';
import type { NativeCpuid } from './cpu-profile.ts';
import { type CpuidRow, cpuidRowsOf, MAXIMUM_BASIC_LEAF, MAXIMUM_EXTENDED_LEAF } from './cpuid-rows.ts';
import { applyRules } from './cpuid-rules.ts';
import { CPUID_REGISTERS, type CpuidValues, NO_BITS } from './cpuid-values.ts';
import { isLegalTopology, legacyTopology } from './topology.ts';

/** Leaves that are the hypervisor's own: always #VE. */
export const HYPERVISOR_BASE = 0x4000_0000;
export const HYPERVISOR_END = 0x5000_0000;
const EXTENDED_BASE = 0x8000_0000;
const LEGACY_TOPOLOGY_LEAF = 0xb;
const TOPOLOGY_LEAF = 0x1f;
const TOPOLOGY_SUBLEAVES = 6;

/** A configuration that TDH.MNG.INIT refuses, by the leaf that is wrong; sub-leaf -1: it has none. */
export interface CpuidRefusal {
  readonly refusedLeaf: number;
  readonly refusedSubleaf: number;
}

export interface CpuidAnswer {
  readonly row: CpuidRow;
  /** EAX EBX ECX EDX, without what changes at run time */
  readonly values: Int32Array;
}

/** IA32_SPEC_CTRL bits that CPUID announces. Source: SDM vol. 4, "IA32_SPEC_CTRL". */
const SPEC_CTRL_FEATURES: readonly (readonly [bits: number, feature: string])[] = [
  [1 << 0, 'IBRS'],
  [1 << 1, 'STIBP'],
  [1 << 2, 'SSBD'],
  [3 << 3, 'IPRED_CTRL'],
  [3 << 5, 'RRSBA_CTRL'],
  [1 << 7, 'PSFD'],
  [1 << 8, 'DDPD_U'],
  [1 << 10, 'BHI_CTRL'],
];

const keyOf = (leaf: number, subleaf: number): number => leaf * 0x20 + subleaf;
const toArray = (values: CpuidValues): Int32Array => Int32Array.from(CPUID_REGISTERS, (register) => values[register]);

/** @returns the table, or what of the configuration is refused */
export function buildCpuidTable(
  version: ModuleVersion,
  native: NativeCpuid,
  params: TdParams,
): CpuidTable | CpuidRefusal {
  const order = cpuidConfigOrder(version);
  const answers = new Map<number, CpuidValues>();
  const earlier = (leaf: number, subleaf: number): CpuidValues => answers.get(keyOf(leaf, subleaf)) ?? NO_BITS;
  const rows = cpuidRowsOf(version);
  for (const row of rows) {
    const { leaf, subleaf = 0 } = row;
    const index = order.findIndex(([l, s]) => l === leaf && (s < 0 || s === subleaf));
    const asked = params.cpuidConfig[index] ?? NO_BITS;
    const refused: CpuidRefusal = { refusedLeaf: leaf, refusedSubleaf: row.subleaf ?? -1 };
    const nativeValues = native.read(leaf, subleaf);
    const values = { ...NO_BITS } as Record<(typeof CPUID_REGISTERS)[number], number>;
    for (const register of CPUID_REGISTERS) {
      const direct = row.direct[register];
      const allow = row.allow[register];
      if ((asked[register] & ~(direct | allow)) !== 0) return refused;
      const fixed = (nativeValues[register] & ~row.zero[register]) | row.one[register];
      values[register] = (((fixed & ~direct) | (asked[register] & direct)) & (asked[register] | ~allow)) | 0;
    }
    const ruled = applyRules(values, leaf, subleaf, { version, native, params, earlier });
    if (ruled === undefined) return refused;
    answers.set(keyOf(leaf, subleaf), ruled);
  }
  if (isModule20(version)) {
    const subleaves = Array.from({ length: TOPOLOGY_SUBLEAVES }, (_, subleaf) => earlier(TOPOLOGY_LEAF, subleaf));
    if (!isLegalTopology(subleaves)) return { refusedLeaf: TOPOLOGY_LEAF, refusedSubleaf: 0 };
    legacyTopology(subleaves).forEach((values, subleaf) => {
      answers.set(keyOf(LEGACY_TOPOLOGY_LEAF, subleaf), values);
    });
  }
  return new CpuidTable(
    rows.map((row) => ({ row, values: toArray(earlier(row.leaf, row.subleaf ?? 0)) })),
    native,
    params,
  );
}

export class CpuidTable {
  /** CPUID.1:EAX of the processor */
  readonly nativeFamilyModelStepping: number;
  /** CR4 bits that the features shown, XFAM and ATTRIBUTES allow, and those the module owns */
  readonly supportedCr4: number;
  /** IA32_SPEC_CTRL bits that the features shown allow */
  readonly supportedSpecCtrl: number;
  readonly #native: NativeCpuid;
  readonly #answers: ReadonlyMap<number, CpuidAnswer>;
  readonly #leavesWithoutSubleaf: ReadonlySet<number>;

  constructor(answers: readonly CpuidAnswer[], native: NativeCpuid, params: TdParams) {
    this.#native = native;
    this.nativeFamilyModelStepping = native.read(1).eax;
    this.#answers = new Map(answers.map((answer) => [keyOf(answer.row.leaf, answer.row.subleaf ?? 0), answer]));
    this.#leavesWithoutSubleaf = new Set(
      answers.filter(({ row }) => row.subleaf === undefined).map(({ row }) => row.leaf),
    );
    const shown = <T extends number>(rows: readonly (readonly [T, string])[], bits: (value: T) => number): number =>
      rows.reduce((value, [what, feature]) => (this.shows(feature) ? value | bits(what) : value), 0);
    this.supportedCr4 = supportedCr4(this, params);
    this.supportedSpecCtrl = shown(SPEC_CTRL_FEATURES, (bits) => bits);
  }

  /** The row that answers, and its values; undefined: none does. A leaf above its range is the highest basic one. `leaf` and `subleaf` unsigned. */
  find(leaf: number, subleaf: number): CpuidAnswer | undefined {
    if (leaf >= HYPERVISOR_BASE && leaf < HYPERVISOR_END) return undefined;
    const above = leaf > MAXIMUM_EXTENDED_LEAF || (leaf > MAXIMUM_BASIC_LEAF && leaf < EXTENDED_BASE);
    const effective = above ? MAXIMUM_BASIC_LEAF : leaf;
    if (this.#leavesWithoutSubleaf.has(effective)) return this.#answers.get(keyOf(effective, 0));
    return subleaf < 0x20 ? this.#answers.get(keyOf(effective, subleaf)) : undefined;
  }

  /** EAX EBX ECX EDX of a leaf, without what changes at run time; undefined: there is no row, or it is #VE for every TD. */
  lookup(leaf: number, subleaf: number): Int32Array | undefined {
    const answer = this.find(leaf, subleaf);
    return answer === undefined || answer.row.ve === 'always' ? undefined : answer.values;
  }

  /** Is this feature bit 1, as configured? */
  shows(feature: string): boolean {
    const { leaf, subleaf, register, bit } = cpuidFeature(feature);
    const values = this.find(leaf, subleaf)?.values;
    return values !== undefined && ((values[CPUID_REGISTERS.indexOf(register)]! >>> bit) & 1) !== 0;
  }

  /** Does the processor have it, shown or not? */
  hasNatively(feature: string): boolean {
    return this.#native.has(feature);
  }

  /** What the processor itself answers. */
  native(leaf: number, subleaf: number): CpuidValues {
    return this.#native.read(leaf, subleaf);
  }
}
