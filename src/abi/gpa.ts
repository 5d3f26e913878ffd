/** Guest physical addresses: the private and the shared half. Numbers below 2^52. Source: TDX Module 1.5 Base Architecture, "GPA Space". */

/** Guest physical address width in bits. */
export type Gpaw = 48 | 52;

/** The shared bit as a power of two: 2^47 or 2^51. */
export function sharedBitOf(gpaw: Gpaw): number {
  return gpaw === 48 ? 0x8000_0000_0000 : 0x8_0000_0000_0000;
}

/** True if the shared bit is set. */
export function isSharedGpa(gpa: number, gpaw: Gpaw): boolean {
  const sharedBit = sharedBitOf(gpaw);
  return gpa % (sharedBit * 2) >= sharedBit;
}

/** The address without its shared bit. */
export function stripSharedBit(gpa: number, gpaw: Gpaw): number {
  return isSharedGpa(gpa, gpaw) ? gpa - sharedBitOf(gpaw) : gpa;
}

/** The address with its shared bit. */
export function withSharedBit(gpa: number, gpaw: Gpaw): number {
  return isSharedGpa(gpa, gpaw) ? gpa : gpa + sharedBitOf(gpaw);
}

/** Page-table levels as the ABI counts them. */
export const PageLevel = { PAGE_4K: 0, PAGE_2M: 1, PAGE_1G: 2, PAGE_512G: 3, PAGE_256T: 4 } as const;
export type PageLevel = number;

const LEVEL_BYTES = [0, 1, 2, 3, 4].map((level) => 4096 * 512 ** level);

/** Bytes that one entry of a level covers. */
export function levelBytes(level: PageLevel): number {
  return level === 0 ? 4096 : LEVEL_BYTES[level]!; // a small number for V8, where the table has large ones too
}
