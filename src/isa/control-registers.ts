/** Bits of the control registers and of EFER (SDM volume 3, "Control Registers"), by number. */

export const Cr0Bit = { PE: 0, MP: 1, EM: 2, TS: 3, ET: 4, NE: 5, WP: 16, AM: 18, NW: 29, CD: 30, PG: 31 } as const;

export const Cr4Bit = {
  VME: 0,
  PVI: 1,
  TSD: 2,
  DE: 3,
  PSE: 4,
  PAE: 5,
  MCE: 6,
  PGE: 7,
  PCE: 8,
  OSFXSR: 9,
  OSXMMEXCPT: 10,
  UMIP: 11,
  LA57: 12,
  VMXE: 13,
  SMXE: 14,
  FSGSBASE: 16,
  PCIDE: 17,
  OSXSAVE: 18,
  KL: 19,
  SMEP: 20,
  SMAP: 21,
  PKE: 22,
  CET: 23,
  PKS: 24,
  UINTR: 25,
} as const;

export const EferBit = { SCE: 0, LME: 8, LMA: 10, NXE: 11 } as const;

/** Names of the bits that are set, lowest first, e.g. bitNames(Cr0Bit, 0x80000001) is "PE PG". */
export function bitNames(bits: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(bits)
    .filter(([, bit]) => ((value >>> bit) & 1) !== 0)
    .map(([name]) => name)
    .join(' ');
}
