/** What TDH.MNG.INIT does to CPUID beyond the rows: one rule a leaf, in the order of the module. Source: module 1.5.01 and 2.0 source, tdh_mng_init.c. */
import { ConfigFlag, isModule20, type ModuleVersion, TdAttribute, type TdParams, Xfam } from '../../abi/index.ts';
import type { NativeCpuid } from './cpu-profile.ts';
import { type CpuidValues, NO_BITS } from './cpuid-values.ts';
import { XFAM_CPUID_ROWS } from './xfam.ts';
import { standardSize } from './xsave-area.ts';

export interface RuleContext {
  readonly version: ModuleVersion;
  readonly native: NativeCpuid;
  readonly params: TdParams;
  /** what an earlier leaf became */
  readonly earlier: (leaf: number, subleaf: number) => CpuidValues;
}

/** The values of a leaf, adjusted; undefined: the configuration is refused. */
export type CpuidRule = (values: CpuidValues, subleaf: number, context: RuleContext) => CpuidValues | undefined;

const MONITOR = 1 << 3;
const HLE = 1 << 4;
const RTM = 1 << 11;
const LA57 = 1 << 16;
const KEY_LOCKER = 1 << 23;
const PKS = 1 << 31;
const XFD = 1 << 4;
/** Components whose use can be made to fault: AMX tile data. */
const XFD_COMPONENTS = 1n << 18n;

const has = (params: TdParams, attribute: bigint): boolean => (params.attributes & attribute) !== 0n;
const hasXfam = ({ xfam }: TdParams, bits: bigint): boolean => (xfam & bits) === bits;
const only = (allowed: boolean, values: CpuidValues): CpuidValues => (allowed ? values : NO_BITS);

/** A family, model and stepping of 0 asks for the native ones; no others are allowed. */
const familyModelStepping: CpuidRule = (values, _, { native }) => {
  const { eax } = native.read(1);
  return values.eax === 0 || values.eax === eax ? { ...values, eax } : undefined;
};

const extendedFeatures: CpuidRule = (values, subleaf, { params }) => {
  if (subleaf !== 0) return values;
  if (((values.ebx & HLE) !== 0) !== ((values.ebx & RTM) !== 0)) return undefined;
  const protectionKeys = has(params, TdAttribute.PKS) ? values.ecx | PKS : values.ecx & ~PKS;
  return { ...values, ecx: protectionKeys & ~KEY_LOCKER };
};

const extendedState: CpuidRule = (values, subleaf, { params, native }) => {
  if (subleaf === 0)
    return {
      ...values,
      ecx: native.has('XSAVE') ? standardSize(params.xfam & 0xffff_ffffn, (n) => native.read(0xd, n)) : 0,
    };
  if (subleaf === 1) return { ...values, eax: (params.xfam & XFD_COMPONENTS) === 0n ? values.eax & ~XFD : values.eax };
  return only(hasXfam(params, 1n << BigInt(subleaf)), values);
};

/** 57 bits of linear address only with CPUID.7:ECX.LA57; the physical width is the processor's unless the host narrows it (2.0). */
const addressWidths: CpuidRule = (values, _, { version, native, params, earlier }) => {
  const linear = (earlier(7, 0).ecx & LA57) !== 0 ? 57 : 48;
  const nativeBits = native.read(0x8000_0008).eax & 0xff;
  let physical = nativeBits;
  if (isModule20(version) && (params.configFlags & ConfigFlag.MAXPA_VIRT) !== 0n) {
    const widest = Math.min(nativeBits, (params.configFlags & ConfigFlag.GPAW) !== 0n ? 52 : 48);
    const asked = values.eax & 0xff;
    if (asked !== 0 && (asked < MINIMUM_PHYSICAL_BITS || asked > widest)) return undefined;
    physical = asked === 0 ? widest : asked;
  }
  return { ...values, eax: physical | (linear << 8) };
};
/** the least that MAXPA_VIRT may ask for */
const MINIMUM_PHYSICAL_BITS = 36;

const RULES: ReadonlyMap<number, CpuidRule> = new Map<number, CpuidRule>([
  [1, familyModelStepping],
  [5, (values, _, { earlier }) => only((earlier(1, 0).ecx & MONITOR) !== 0, values)],
  [7, extendedFeatures],
  [0xa, (values, _, { params }) => only(has(params, TdAttribute.PERFMON), values)],
  [0xd, extendedState],
  [0x14, (values, _, { params }) => only(hasXfam(params, Xfam.PT), values)],
  [0x15, (values, _, { params }) => ({ ...values, ebx: params.tscFrequency25Mhz })],
  [0x19, () => NO_BITS],
  [0x1a, (values, _, { params }) => only(!has(params, TdAttribute.MIGRATABLE), values)],
  [0x1c, (values, _, { params }) => only(hasXfam(params, Xfam.LBR), values)],
  [0x1d, (values, _, { params }) => only(hasXfam(params, Xfam.AMX), values)],
  [0x23, (values, _, { params }) => only(has(params, TdAttribute.PERFMON), values)],
  [0x8000_0008, addressWidths],
]);

/** Applies the XFAM rows and the leaf's rule. */
export function applyRules(
  values: CpuidValues,
  leaf: number,
  subleaf: number,
  context: RuleContext,
): CpuidValues | undefined {
  const { params, version } = context;
  let { eax, ebx, ecx, edx } = values;
  for (const row of XFAM_CPUID_ROWS) {
    if (row.leaf !== leaf || row.subleaf !== subleaf || hasXfam(params, row.xfam) || !row.modules.includes(version))
      continue;
    eax &= ~row.bits.eax;
    ebx &= ~row.bits.ebx;
    ecx &= ~row.bits.ecx;
    edx &= ~row.bits.edx;
  }
  const rule = RULES.get(leaf);
  const left = { eax, ebx, ecx, edx };
  return rule === undefined ? left : rule(left, subleaf, context);
}
