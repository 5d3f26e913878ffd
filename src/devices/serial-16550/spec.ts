/** The 16550A UART's registers (National Semiconductor PC16550D data sheet, section 8 "Registers"). */

/** Offsets; 0 and 1 are the divisor latch while LCR.DLAB is set. */
export const Register = { Data: 0, Ier: 1, IirFcr: 2, Lcr: 3, Mcr: 4, Lsr: 5, Msr: 6, Scratch: 7 } as const;

export const Ier = {
  ReceivedData: 0x01,
  TransmitterEmpty: 0x02,
  LineStatus: 0x04,
  ModemStatus: 0x08,
  All: 0x0f,
} as const;

/** Interrupt identification, bits 3:0, highest priority first in the data sheet's table. */
export const Iir = {
  LineStatus: 0x06,
  ReceivedData: 0x04,
  CharacterTimeout: 0x0c,
  TransmitterEmpty: 0x02,
  ModemStatus: 0x00,
  None: 0x01,
  FifosEnabled: 0xc0,
} as const;

export const Fcr = { Enable: 0x01, ClearReceiver: 0x02, ClearTransmitter: 0x04 } as const;
/** bytes in the receiver FIFO at which data counts as available, by FCR bits 7:6 */
export const RECEIVER_TRIGGER_BYTES = [1, 4, 8, 14] as const;
export const FIFO_BYTES = 16;

export const Lcr = { Break: 0x40, DivisorLatch: 0x80 } as const;

export const Mcr = { Dtr: 0x01, Rts: 0x02, Out1: 0x04, Out2: 0x08, Loopback: 0x10, All: 0x1f } as const;

export const Lsr = {
  DataReady: 0x01,
  Overrun: 0x02,
  Parity: 0x04,
  Framing: 0x08,
  Break: 0x10,
  TransmitterHoldingEmpty: 0x20,
  TransmitterEmpty: 0x40,
  FifoError: 0x80,
} as const;
/** the bits that raise the line status interrupt and that reading LSR clears */
export const LSR_ERRORS = Lsr.Overrun | Lsr.Parity | Lsr.Framing | Lsr.Break;

/** bits 3:0 are the changes of bits 7:4 since the last read */
export const Msr = { Cts: 0x10, Dsr: 0x20, Ri: 0x40, Dcd: 0x80, RiTrailingEdge: 0x04 } as const;
