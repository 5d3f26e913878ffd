/** The board as one literal map: what is where. Reading it is reading the machine. */
import type { BoardAddresses } from '../loader/index.ts';

/** What the ACPI tables and the memory map are told. */
export const BOARD: BoardAddresses = {
  ramCeiling: 0xc000_0000,
  localApic: 0xfee0_0000,
  ioApic: { address: 0xfec0_0000, id: 0, firstInterrupt: 0 },
  serial: { port: 0x3f8, interrupt: 4 },
  power: { sleepControlPort: 0x600, sleepStatusPort: 0x601, resetPort: 0x602, resetValue: 0x01, powerOffType: 5 },
};

export interface BoardRow {
  readonly base: number;
  readonly lengthBytes: number;
  /** widest access the device takes */
  readonly accessBytes: 1 | 2 | 4;
}

/** Port space. What is not here reads as all ones: a second serial port, the 8259s, the keyboard controller, PCI. */
export const PORTS = {
  pit: { base: 0x40, lengthBytes: 4, accessBytes: 1 },
  systemControlPortB: { base: 0x61, lengthBytes: 1, accessBytes: 1 },
  rtc: { base: 0x70, lengthBytes: 2, accessBytes: 1 },
  serial: { base: BOARD.serial.port, lengthBytes: 8, accessBytes: 1 },
  power: { base: BOARD.power.sleepControlPort, lengthBytes: 3, accessBytes: 1 },
} as const satisfies Record<string, BoardRow>;

/** Shared physical addresses of devices; the shared bit is not part of them. */
export const MMIO = {
  ioApic: { base: BOARD.ioApic.address, lengthBytes: 0x1000, accessBytes: 4 },
} as const satisfies Record<string, BoardRow>;
