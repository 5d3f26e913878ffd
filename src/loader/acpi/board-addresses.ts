/** What the ACPI tables and the memory map need to know of the board; `machine/board.ts` is the one that says it. */

export interface BoardAddresses {
  /** first address after the RAM window below 4 GiB */
  readonly ramCeiling: number;
  readonly localApic: number;
  readonly ioApic: { readonly address: number; readonly id: number; readonly firstInterrupt: number };
  /** 16550-compatible serial port: first of its eight ports and its IOAPIC input */
  readonly serial: { readonly port: number; readonly interrupt: number };
  /** the ACPI power-control registers, one byte-wide port each */
  readonly power: {
    readonly sleepControlPort: number;
    readonly sleepStatusPort: number;
    readonly resetPort: number;
    /** SLP_TYP of S5 */
    readonly powerOffType: number;
    /** value that resets when written to `resetPort` */
    readonly resetValue: number;
  };
  /** virtio-mmio windows, in order; the interrupt is an edge-triggered IOAPIC input */
  readonly virtioMmio?: readonly {
    readonly address: number;
    readonly lengthBytes: number;
    readonly interrupt: number;
  }[];
}
