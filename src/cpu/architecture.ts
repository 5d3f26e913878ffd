/** Names of the bits and vectors of the system architecture (SDM vol. 3, "System Architecture Overview" and "Interrupt and Exception Handling"). */

export const Cr0 = {
  Pe: 1 << 0,
  Mp: 1 << 1,
  Em: 1 << 2,
  Ts: 1 << 3,
  Et: 1 << 4,
  Ne: 1 << 5,
  Wp: 1 << 16,
  Am: 1 << 18,
  Nw: 1 << 29,
  Cd: 1 << 30,
  Pg: 1 << 31,
} as const;

export const Cr4 = {
  Vme: 1 << 0,
  Pvi: 1 << 1,
  Tsd: 1 << 2,
  De: 1 << 3,
  Pse: 1 << 4,
  Pae: 1 << 5,
  Mce: 1 << 6,
  Pge: 1 << 7,
  Pce: 1 << 8,
  OsFxsr: 1 << 9,
  OsXmmExcept: 1 << 10,
  Umip: 1 << 11,
  La57: 1 << 12,
  FsGsBase: 1 << 16,
  Pcide: 1 << 17,
  OsXsave: 1 << 18,
  Smep: 1 << 20,
  Smap: 1 << 21,
} as const;

export const Efer = { Sce: 1 << 0, Lme: 1 << 8, Lma: 1 << 10, Nxe: 1 << 11 } as const;

export const Rflags = {
  Cf: 1 << 0,
  /** always 1 */
  Fixed: 1 << 1,
  Pf: 1 << 2,
  Af: 1 << 4,
  Zf: 1 << 6,
  Sf: 1 << 7,
  Tf: 1 << 8,
  If: 1 << 9,
  Df: 1 << 10,
  Of: 1 << 11,
  Iopl: 3 << 12,
  Nt: 1 << 14,
  Rf: 1 << 16,
  Vm: 1 << 17,
  Ac: 1 << 18,
  Vif: 1 << 19,
  Vip: 1 << 20,
  Id: 1 << 21,
} as const;

export const Vector = {
  DivideError: 0,
  Debug: 1,
  Nmi: 2,
  Breakpoint: 3,
  Overflow: 4,
  InvalidOpcode: 6,
  DeviceNotAvailable: 7,
  DoubleFault: 8,
  InvalidTss: 10,
  SegmentNotPresent: 11,
  StackFault: 12,
  GeneralProtection: 13,
  PageFault: 14,
  Virtualization: 20,
} as const;

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

/** Is a linear address canonical, given the number of linear address bits of the paging mode? */
export function isCanonical(high: number, fiveLevels: boolean): boolean {
  const sign = fiveLevels ? high >> 24 : high >> 15;
  return sign === 0 || sign === -1;
}
