/** The I/O APIC's registers (Intel 82093AA data sheet, section 3 "Register Description"; ICH9 for the EOI register). */

/** Memory-mapped offsets: an index, a window on the register it names, and the EOI register of version 0x20. */
export const Offset = { Index: 0x00, Data: 0x10, Eoi: 0x40 } as const;

export const Register = { Id: 0, Version: 1, Arbitration: 2, RedirectionTable: 0x10 } as const;

export const ENTRY_COUNT = 24;
/** highest entry 23:16, version 7:0 */
export const VERSION = ((ENTRY_COUNT - 1) << 16) | 0x20;

/** Low half of a redirection entry; the destination is bits 31:24 of the high half. */
export const Entry = {
  vector: 0xff,
  deliveryMode: 0x700,
  logicalDestination: 0x800,
  mask: 0x1_0000,
  /** delivery status (12) and remote IRR (14) cannot be written */
  writable: 0x1_afff,
} as const;
