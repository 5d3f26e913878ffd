/** MSR virtualization of one TD: the native bitmaps and the answer to every exit. */
import { isModule20, type ModuleVersion, TdAttribute, type TdParams, Xfam } from '../../abi/index.ts';
import type { CpuidTable } from './cpuid-table.ts';
import { MSR_ROWS, type MsrAnswer, type MsrFeature, type MsrRow } from './msr-rows.ts';
import type { ParavirtFeatureName, TdControls } from './td-controls.ts';

/** What becomes of an MSR access that left the guest. */
export const MsrOutcome = { Ve: 0, Gp: 1, Module: 2 } as const;
export type MsrOutcome = (typeof MsrOutcome)[keyof typeof MsrOutcome];

const hasXfam = ({ xfam }: TdParams, bits: bigint): boolean => (xfam & bits) === bits;
const hasAttribute = ({ attributes }: TdParams, bit: bigint): boolean => (attributes & bit) !== 0n;

const FEATURES: Readonly<Record<MsrFeature, (params: TdParams, cpuid: CpuidTable) => boolean>> = {
  PERFMON: (params) => hasAttribute(params, TdAttribute.PERFMON),
  WAITPKG: (_, cpuid) => cpuid.shows('WAITPKG'),
  TSX: (_, cpuid) => cpuid.shows('RTM'),
  XFD: (_, cpuid) => cpuid.shows('XFD'),
  PT: (params) => hasXfam(params, Xfam.PT),
  CET: (params) => hasXfam(params, Xfam.CET),
  PKS: (params) => hasAttribute(params, TdAttribute.PKS),
  UINTR: (params) => hasXfam(params, Xfam.UINTR),
  LBR: (params) => hasXfam(params, Xfam.LBR),
};

const BITMAP_LENGTH = 0x2000;
const HIGH_MSRS = 0xc000_0000;
const NATIVE_IF = 'native if ';
const VE_IF = '#VE if ';

export class MsrTable {
  readonly nativeReads = new Set<number>();
  readonly nativeWrites = new Set<number>();
  readonly #rows = new Map<number, MsrRow>();
  readonly #cpuid: CpuidTable;
  /** registers without a row: #VE unless REDUCE_VE */
  readonly #reducible: boolean;

  constructor(version: ModuleVersion, cpuid: CpuidTable, params: TdParams) {
    this.#cpuid = cpuid;
    this.#reducible = isModule20(version);
    const isNative = (answer: MsrAnswer): boolean =>
      answer === 'native' ||
      (answer.startsWith(NATIVE_IF) && FEATURES[answer.slice(NATIVE_IF.length) as MsrFeature](params, cpuid));
    for (const row of MSR_ROWS.filter(({ modules }) => modules.includes(version)))
      for (let msr = row.first; msr <= row.last; msr++) {
        this.#rows.set(msr, row);
        if (isNative(row.read)) this.nativeReads.add(msr);
        if (isNative(row.write)) this.nativeWrites.add(msr);
      }
  }

  /** Can the bitmaps name it at all? Everything else is #VE, whatever the TD chose. `msr` unsigned. */
  static isInBitmap(msr: number): boolean {
    return msr < BITMAP_LENGTH || (msr >= HIGH_MSRS && msr < HIGH_MSRS + BITMAP_LENGTH);
  }

  readOutcome(msr: number, controls: TdControls): MsrOutcome {
    return this.#outcome(msr, this.#rows.get(msr)?.read, controls);
  }

  writeOutcome(msr: number, controls: TdControls): MsrOutcome {
    return this.#outcome(msr, this.#rows.get(msr)?.write, controls);
  }

  #outcome(msr: number, answer: MsrAnswer | undefined, controls: TdControls): MsrOutcome {
    if (!MsrTable.isInBitmap(msr) || answer === '#VE') return MsrOutcome.Ve;
    if (answer === 'module') return MsrOutcome.Module;
    if (answer === undefined || answer === '#VE unless REDUCE_VE')
      return this.#reducible && controls.reduceVe ? MsrOutcome.Gp : MsrOutcome.Ve;
    if (answer.startsWith(VE_IF))
      return controls.has(this.#cpuid, answer.slice(VE_IF.length) as ParavirtFeatureName)
        ? MsrOutcome.Ve
        : MsrOutcome.Gp;
    return MsrOutcome.Gp;
  }
}
