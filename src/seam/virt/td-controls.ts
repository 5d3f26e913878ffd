/** What a TD chose for itself: TD_CTLS and FEATURE_PARAVIRT_CTLS. Source: TDX Module 2.0 ABI Definition, "TD_CTLS", "FEATURE_PARAVIRT_CTLS"; module 2.0 source, metadata_td.c. */
import { ConfigFlag, isModule20, type ModuleVersion, TdAttribute, TdControl, type TdParams } from '../../abi/index.ts';
import type { CpuidTable } from './cpuid-table.ts';

/** A feature that the host emulates: with REDUCE_VE a TD says of each whether it is there. */
export interface ParavirtFeature {
  readonly name: string;
  /** bit of FEATURE_PARAVIRT_CTLS */
  readonly bit: number;
  /** CPUID bits that show it */
  readonly cpuid: readonly string[];
  /** shown without REDUCE_VE, whatever the host configured */
  readonly always: boolean;
}

const row = (bit: number, name: string, cpuid: readonly string[] = [name], always = false): ParavirtFeature => ({
  name,
  bit,
  cpuid,
  always,
});

export const PARAVIRT_FEATURES = {
  CORE_CAPABILITIES: row(0, 'CORE_CAPABILITIES', ['CORE_CAPABILITIES'], true),
  DCA: row(1, 'DCA'),
  EST: row(2, 'EST'),
  MCA: row(3, 'MCA', ['MCE', 'MCA'], true),
  MTRR: row(4, 'MTRR', ['MTRR'], true),
  PCONFIG: row(5, 'PCONFIG'),
  RDT_A: row(6, 'RDT_A'),
  RDT_M: row(7, 'RDT_M'),
  ACPI: row(8, 'ACPI'),
  TM2: row(9, 'TM2'),
  TME: row(10, 'TME'),
  TSC_DEADLINE: row(11, 'TSC_DEADLINE'),
} as const satisfies Record<string, ParavirtFeature>;
export type ParavirtFeatureName = keyof typeof PARAVIRT_FEATURES;

/** Bits of FEATURE_PARAVIRT_CTLS that a TD may write. */
export const FEATURE_PARAVIRT_MASK = 0xfffn;
const CONTROLS_1_5 = TdControl.PENDING_VE_DISABLE;
const CONTROLS_2_0 =
  TdControl.PENDING_VE_DISABLE | TdControl.ENUM_TOPOLOGY | TdControl.VIRT_CPUID2 | TdControl.REDUCE_VE | TdControl.LOCK;

/** Bits of TD_CTLS that a TD may write. */
export function tdControlsMask(version: ModuleVersion): bigint {
  return isModule20(version) ? CONTROLS_2_0 : CONTROLS_1_5;
}

export class TdControls {
  /** TD_CTLS as the TD reads it */
  value = 0n;
  reduceVe = false;
  enumTopology = false;
  virtCpuid2 = false;
  featureParavirt = 0;
  /** every vCPU was given an x2APIC id of its own at TDH.VP.INIT */
  topologyConfigured = true;

  /** At TDH.MNG.INIT. */
  initialize({ attributes }: TdParams): void {
    this.value = (attributes & TdAttribute.SEPT_VE_DISABLE) !== 0n ? TdControl.PENDING_VE_DISABLE : 0n;
  }

  get pendingVeDisable(): boolean {
    return (this.value & TdControl.PENDING_VE_DISABLE) !== 0n;
  }

  /** A write of TD_CTLS; false: the value is not valid. */
  write({ configFlags }: TdParams, value: bigint): boolean {
    const changed = this.value ^ value;
    if ((this.value & TdControl.LOCK) !== 0n) return changed === 0n;
    if ((configFlags & ConfigFlag.FLEXIBLE_PENDING_VE) === 0n && (changed & TdControl.PENDING_VE_DISABLE) !== 0n)
      return false;
    const implied = (value & TdControl.REDUCE_VE) !== 0n ? TdControl.ENUM_TOPOLOGY | TdControl.VIRT_CPUID2 : 0n;
    const next = value | implied;
    if ((next & TdControl.ENUM_TOPOLOGY) !== 0n && !this.topologyConfigured) return false;
    this.value = next;
    this.reduceVe = (next & TdControl.REDUCE_VE) !== 0n;
    this.enumTopology = (next & TdControl.ENUM_TOPOLOGY) !== 0n;
    this.virtCpuid2 = (next & TdControl.VIRT_CPUID2) !== 0n;
    return true;
  }

  /** A write of FEATURE_PARAVIRT_CTLS; false: the value is not valid. */
  writeFeatureParavirt(value: bigint): boolean {
    if ((this.value & TdControl.LOCK) !== 0n) return value === BigInt(this.featureParavirt);
    this.featureParavirt = Number(value & FEATURE_PARAVIRT_MASK);
    return true;
  }

  /** Is a feature on for the TD? */
  has(cpuid: CpuidTable, name: ParavirtFeatureName): boolean {
    const feature: ParavirtFeature = PARAVIRT_FEATURES[name];
    const configured = feature.cpuid.some((bit) => cpuid.shows(bit));
    if (!this.reduceVe) return configured || feature.always;
    return configured && ((this.featureParavirt >>> feature.bit) & 1) !== 0;
  }
}
