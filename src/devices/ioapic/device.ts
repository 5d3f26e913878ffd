/** An I/O APIC with 24 inputs, all edge-triggered: the only kind of interrupt a TD's host can deliver faithfully. */
import type { StateVisitor } from '../../bits/index.ts';
import { allOnes, type Device } from '../device.ts';
import { ENTRY_COUNT, Entry, Offset, Register, VERSION } from './spec.ts';

/** What an input sends to the local APICs. */
export interface InterruptMessage {
  readonly vector: number;
  /** 0 fixed, 1 lowest priority, 2 SMI, 4 NMI, 5 INIT, 7 ExtINT */
  readonly deliveryMode: number;
  /** APIC id, or a bit mask of APIC ids when `logical` */
  readonly destination: number;
  readonly logical: boolean;
}

export class IoApic implements Device {
  readonly #deliver: (message: InterruptMessage) => void;

  #index = 0;
  #id = 0;
  readonly #low = new Uint32Array(ENTRY_COUNT).fill(Entry.mask);
  readonly #high = new Uint32Array(ENTRY_COUNT);
  readonly #level = new Uint8Array(ENTRY_COUNT);

  constructor(deliver: (message: InterruptMessage) => void) {
    this.#deliver = deliver;
  }

  visitState(state: StateVisitor): void {
    this.#index = state.number('index', this.#index);
    this.#id = state.number('id', this.#id);
    state.array('low', this.#low);
    state.array('high', this.#high);
    state.array('level', this.#level);
  }

  /** Sets the level of an input; a rise of an unmasked one sends its message. */
  setInput(input: number, asserted: boolean): void {
    const rose = asserted && this.#level[input] === 0;
    this.#level[input] = asserted ? 1 : 0;
    const low = this.#low[input] ?? Entry.mask;
    if (!rose || (low & Entry.mask) !== 0) return;
    this.#deliver({
      vector: low & Entry.vector,
      deliveryMode: (low & Entry.deliveryMode) >> 8,
      destination: this.#high[input]! >>> 24,
      logical: (low & Entry.logicalDestination) !== 0,
    });
  }

  read(offset: number, sizeBytes: number): number {
    if (sizeBytes !== 4) return allOnes(sizeBytes);
    if (offset === Offset.Index) return this.#index;
    if (offset === Offset.Data) return this.#readRegister();
    return allOnes(sizeBytes);
  }

  write(offset: number, sizeBytes: number, value: number): void {
    if (offset === Offset.Index) this.#index = value & 0xff;
    else if (offset === Offset.Data && sizeBytes === 4) this.#writeRegister(value);
    // Offset.Eoi ends level-triggered interrupts, of which there are none
  }

  #readRegister(): number {
    switch (this.#index) {
      case Register.Id:
      case Register.Arbitration:
        return this.#id << 24;
      case Register.Version:
        return VERSION;
      default: {
        const half = this.#index - Register.RedirectionTable;
        if (half < 0 || half >= 2 * ENTRY_COUNT) return 0;
        return (half & 1 ? this.#high : this.#low)[half >> 1]!;
      }
    }
  }

  #writeRegister(value: number): void {
    if (this.#index === Register.Id) this.#id = (value >>> 24) & 0x0f;
    const half = this.#index - Register.RedirectionTable;
    if (half < 0 || half >= 2 * ENTRY_COUNT) return;
    if (half & 1) this.#high[half >> 1] = value & 0xff00_0000;
    else this.#low[half >> 1] = value & Entry.writable;
  }
}
