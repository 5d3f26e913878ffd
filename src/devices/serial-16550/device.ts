/** The 16550A serial port: a transmitter that is always done, a receiver fed by the host. */
import type { StateVisitor } from '../../bits/index.ts';
import type { Device, InterruptLine } from '../device.ts';
import { Fcr, FIFO_BYTES, Ier, Iir, Lcr, LSR_ERRORS, Lsr, Mcr, Msr, RECEIVER_TRIGGER_BYTES, Register } from './spec.ts';

/** Modem inputs of a port whose other end is always there. */
const PEER_PRESENT = Msr.Cts | Msr.Dsr | Msr.Dcd;

export interface Serial16550Options {
  /** a byte left the transmitter */
  readonly transmit: (byte: number) => void;
  /** the interrupt pin, after the OUT2 gate of a PC */
  readonly interrupt: InterruptLine;
}

/** Eight byte-wide registers. No baud rate: a byte is out, and the next one in, as soon as it is asked for. */
export class Serial16550 implements Device {
  readonly #options: Serial16550Options;

  #ier = 0;
  #lcr = 0;
  #mcr = 0;
  #scratch = 0;
  #divisor = 1;
  #fifosEnabled = false;
  #triggerBytes = 1;
  /** received and not read: byte | LSR error bits << 8 */
  #received: number[] = [];
  /** host input that did not fit yet, same form */
  #backlog: number[] = [];
  #overrun = false;
  #lineStatusPending = false;
  #transmitterEmptyPending = false;
  #modemInputs = PEER_PRESENT;
  #modemChanges = 0;

  constructor(options: Serial16550Options) {
    this.#options = options;
  }

  visitState(state: StateVisitor): void {
    this.#ier = state.number('ier', this.#ier);
    this.#lcr = state.number('lcr', this.#lcr);
    this.#mcr = state.number('mcr', this.#mcr);
    this.#scratch = state.number('scratch', this.#scratch);
    this.#divisor = state.number('divisor', this.#divisor);
    this.#fifosEnabled = state.flag('fifosEnabled', this.#fifosEnabled);
    this.#triggerBytes = state.number('triggerBytes', this.#triggerBytes);
    this.#received = state.numbers('received', this.#received);
    this.#backlog = state.numbers('backlog', this.#backlog);
    this.#overrun = state.flag('overrun', this.#overrun);
    this.#lineStatusPending = state.flag('lineStatusPending', this.#lineStatusPending);
    this.#transmitterEmptyPending = state.flag('transmitterEmptyPending', this.#transmitterEmptyPending);
    this.#modemInputs = state.number('modemInputs', this.#modemInputs);
    this.#modemChanges = state.number('modemChanges', this.#modemChanges);
  }

  /** Bytes typed by the host. They wait until the FIFO has room, so none is ever lost. */
  receive(bytes: Uint8Array): void {
    for (const byte of bytes) this.#backlog.push(byte);
    this.#fill();
    this.#sync();
  }

  /** A break condition on the line: a zero byte that carries the break bit. */
  receiveBreak(): void {
    this.#backlog.push(Lsr.Break << 8);
    this.#fill();
    this.#sync();
  }

  /** Bytes the guest has not read yet. */
  get unreadBytes(): number {
    return this.#backlog.length + this.#received.length;
  }

  read(offset: number): number {
    const value = this.#readRegister(offset);
    this.#sync();
    return value;
  }

  write(offset: number, _sizeBytes: number, value: number): void {
    this.#writeRegister(offset, value & 0xff);
    this.#sync();
  }

  #readRegister(offset: number): number {
    const latch = (this.#lcr & Lcr.DivisorLatch) !== 0;
    switch (offset) {
      case Register.Data:
        return latch ? this.#divisor & 0xff : this.#take();
      case Register.Ier:
        return latch ? this.#divisor >> 8 : this.#ier;
      case Register.IirFcr: {
        const cause = this.#cause();
        if (cause === Iir.TransmitterEmpty) this.#transmitterEmptyPending = false;
        return cause | (this.#fifosEnabled ? Iir.FifosEnabled : 0);
      }
      case Register.Lcr:
        return this.#lcr;
      case Register.Mcr:
        return this.#mcr;
      case Register.Lsr:
        return this.#readLineStatus();
      case Register.Msr: {
        const value = this.#modemInputs | this.#modemChanges;
        this.#modemChanges = 0;
        return value;
      }
      case Register.Scratch:
        return this.#scratch;
      default:
        return 0xff;
    }
  }

  #writeRegister(offset: number, value: number): void {
    const latch = (this.#lcr & Lcr.DivisorLatch) !== 0;
    switch (offset) {
      case Register.Data:
        if (latch) this.#divisor = (this.#divisor & 0xff00) | value;
        else this.#send(value);
        break;
      case Register.Ier:
        if (latch) this.#divisor = (this.#divisor & 0xff) | (value << 8);
        else {
          // enabling this interrupt while the transmitter is empty, which it always is, raises it
          if (value & ~this.#ier & Ier.TransmitterEmpty) this.#transmitterEmptyPending = true;
          this.#ier = value & Ier.All;
        }
        break;
      case Register.IirFcr:
        this.#writeFifoControl(value);
        break;
      case Register.Lcr:
        this.#lcr = value;
        break;
      case Register.Mcr:
        this.#mcr = value & Mcr.All;
        this.#updateModemInputs();
        break;
      case Register.Scratch:
        this.#scratch = value;
        break;
      default: // LSR and MSR are read-only: their writes are for factory tests
        break;
    }
  }

  #send(byte: number): void {
    this.#transmitterEmptyPending = false;
    this.#sync(); // the line falls while the holding register is full, so that its rise is an edge
    if ((this.#mcr & Mcr.Loopback) === 0) this.#options.transmit(byte);
    else if (this.#received.length < (this.#fifosEnabled ? FIFO_BYTES : 1)) this.#received.push(byte);
    else this.#overrun = this.#lineStatusPending = true;
    this.#transmitterEmptyPending = true;
  }

  /** Next received byte; its successor moves up. An empty receiver reads as 0. */
  #take(): number {
    const entry = this.#received.shift() ?? 0;
    this.#fill();
    return entry & 0xff;
  }

  #fill(): void {
    if ((this.#mcr & Mcr.Loopback) !== 0) return;
    const room = this.#fifosEnabled ? FIFO_BYTES : 1;
    while (this.#received.length < room && this.#backlog.length > 0) {
      const entry = this.#backlog.shift()!;
      this.#received.push(entry);
      if (entry >> 8 !== 0) this.#lineStatusPending = true;
    }
  }

  #writeFifoControl(value: number): void {
    const enable = (value & Fcr.Enable) !== 0;
    if (enable !== this.#fifosEnabled || (value & Fcr.ClearReceiver) !== 0) this.#received = [];
    this.#fifosEnabled = enable;
    this.#triggerBytes = enable ? RECEIVER_TRIGGER_BYTES[(value >> 6) as 0 | 1 | 2 | 3] : 1;
    this.#fill();
  }

  #readLineStatus(): number {
    const head = this.#received[0] ?? 0;
    let value: number = Lsr.TransmitterHoldingEmpty | Lsr.TransmitterEmpty | (head >> 8);
    if (this.#received.length > 0) value |= Lsr.DataReady;
    if (this.#overrun) value |= Lsr.Overrun;
    if (this.#fifosEnabled && this.#received.some((entry) => entry >> 8 !== 0)) value |= Lsr.FifoError;
    this.#overrun = this.#lineStatusPending = false;
    if ((value & LSR_ERRORS) !== 0 && this.#received.length > 0) this.#received[0] = head & 0xff;
    return value;
  }

  /** In loopback the four outputs drive the four inputs. */
  #updateModemInputs(): void {
    const outputs = this.#mcr;
    const before = this.#modemInputs;
    this.#modemInputs =
      (outputs & Mcr.Loopback) === 0
        ? PEER_PRESENT
        : (outputs & Mcr.Rts ? Msr.Cts : 0) |
          (outputs & Mcr.Dtr ? Msr.Dsr : 0) |
          (outputs & Mcr.Out1 ? Msr.Ri : 0) |
          (outputs & Mcr.Out2 ? Msr.Dcd : 0);
    const changed = before ^ this.#modemInputs;
    this.#modemChanges |= ((changed & ~Msr.Ri) >> 4) & 0x0f;
    if (before & changed & Msr.Ri) this.#modemChanges |= Msr.RiTrailingEdge;
    this.#fill();
  }

  /** The pending interrupt of highest priority. */
  #cause(): number {
    if (this.#ier & Ier.LineStatus && this.#lineStatusPending) return Iir.LineStatus;
    if (this.#ier & Ier.ReceivedData && this.#received.length > 0)
      return this.#received.length >= this.#triggerBytes ? Iir.ReceivedData : Iir.CharacterTimeout;
    if (this.#ier & Ier.TransmitterEmpty && this.#transmitterEmptyPending) return Iir.TransmitterEmpty;
    if (this.#ier & Ier.ModemStatus && this.#modemChanges !== 0) return Iir.ModemStatus;
    return Iir.None;
  }

  #sync(): void {
    const gate = (this.#mcr & (Mcr.Out2 | Mcr.Loopback)) === Mcr.Out2;
    this.#options.interrupt(gate && this.#cause() !== Iir.None);
  }
}
