/** Masks of the control registers' bits, and the few numbers of event delivery that are not the instruction set's. */
import { Cr0Bit, Cr4Bit, EferBit } from '../isa/index.ts';

function masks<Name extends string>(bits: Readonly<Record<Name, number>>): Readonly<Record<Name, number>> {
  const entries = Object.entries<number>(bits).map(([name, bit]) => [name, 1 << bit]);
  return Object.fromEntries(entries) as Record<Name, number>;
}

export const Cr0 = masks(Cr0Bit);
export const Cr4 = masks(Cr4Bit);
export const Efer = masks(EferBit);

/** Kinds of event, as the VMX interruption information numbers them. */
export const EventType = {
  ExternalInterrupt: 0,
  Nmi: 2,
  HardwareException: 3,
  SoftwareInterrupt: 4,
  PrivilegedSoftwareException: 5,
  SoftwareException: 6,
} as const;

/** Bits of `interruptShadow`. */
export const Shadow = { Sti: 1, MovSs: 2 } as const;

/** Is a linear address canonical, given its upper half and whether paging has five levels? */
export function isCanonical(high: number, fiveLevels: boolean): boolean {
  const sign = fiveLevels ? high >> 24 : high >> 15;
  return sign === 0 || sign === -1;
}
