/** What a loader hands over: which guest-physical ranges a TD starts with, and how each of them comes to be. Bytes and numbers only. */

import type { Bytes } from '../bits/index.ts';
import type { MeasuredEvent } from './event-log.ts';

/**
 * How the pages of a region enter the TD.
 * - `added-measured`: TDH.MEM.PAGE.ADD, then TDH.MR.EXTEND over every 256 bytes, before TDH.MR.FINALIZE
 * - `added`: TDH.MEM.PAGE.ADD only (MRTD still covers the page's address)
 * - `pending`: TDH.MEM.PAGE.AUG when the guest asks for it; reads as zeros after TDG.MEM.PAGE.ACCEPT
 */
export type Treatment = 'added-measured' | 'added' | 'pending';

export interface PlanRegion {
  /** for people: "kernel", "boot_params" */
  readonly name: string;
  /** guest physical address, a multiple of 4096 */
  readonly startGpa: number;
  /** a multiple of 4096 */
  readonly lengthBytes: number;
  /**
   * may be shorter than the region, the rest is zeros; `pending` regions are always 'zero'. A function gives what takes its time, such as a
   * digest that is being computed: the host adds these regions after all others
   */
  readonly content: Bytes | 'zero' | (() => Uint8Array);
  readonly treatment: Treatment;
}

/** The bytes of a region; none where it is zero. */
export function regionBytes({ content }: PlanRegion): Bytes {
  if (content === 'zero') return new Uint8Array();
  return typeof content === 'function' ? content() : content;
}

/** Regions in the order in which a host adds them, which decides MRTD: by address, but what takes its time comes last. */
export function inOrderOfAddition(regions: readonly PlanRegion[]): PlanRegion[] {
  const isLate = ({ content }: PlanRegion) => typeof content === 'function';
  return [...regions.filter((region) => !isLate(region)), ...regions.filter(isLate)];
}

/** Types of the memory map as Linux and ACPI number them (ACPI 6.5, "Address Range Types"). */
export const MemoryType = { Ram: 1, Reserved: 2, AcpiReclaimable: 3, AcpiNonVolatile: 4 } as const;
export type MemoryType = (typeof MemoryType)[keyof typeof MemoryType];

/** One row of the memory map the guest is told ("e820"). */
export interface MemoryMapRow {
  readonly startGpa: number;
  readonly lengthBytes: number;
  readonly type: MemoryType;
}

/**
 * The whole plan. There is no entry point in it: every vCPU of a TD starts at GPA 0xFFFFFFF0, so the first region that
 * runs is the one that holds that address (the shim, or a firmware).
 */
export interface LoadPlan {
  /** in ascending order of address, never overlapping; private memory that is not listed does not exist */
  readonly regions: readonly PlanRegion[];
  readonly memoryMap: readonly MemoryMapRow[];
  /** number of vCPUs the tables describe */
  readonly vcpus: number;
  /** what TDH.VP.INIT gives each vCPU in RCX and R8 */
  readonly initialRcx: number;
  /** what the shim extends RTMRs with before the kernel runs, in this order; the event log says the same */
  readonly events?: readonly MeasuredEvent[];
  /** what a person should know before the run; none of it stops the run */
  readonly warnings: readonly string[];
}

/** An input that cannot be loaded: one sentence that names the input and says what to do. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
}
