/**
 * Many executions of single instructions, as the native harness and the simulated processor take them: code slots, and state
 * records in one flat buffer (layout: `struct record` of native.c, the same before and after).
 */

/** Linear addresses both sides map: code slots, and DATA_BYTES of memory with nothing mapped behind it. */
export const CODE_BASE = 0x1000_0000;
export const SLOT_BYTES = 64;
/** Where a slot's instruction begins; INT3 is all around it. */
export const SLOT_ENTRY = 32;
export const DATA_BASE = 0x2000_0000;
export const DATA_BYTES = 0x4000;
/** Bytes of memory that belong to a record. */
export const WINDOW_BYTES = 256;
/** A window with a page boundary in its middle, and one that ends where nothing is mapped. */
export const CROSSING_WINDOW = DATA_BASE + 0x1000 - WINDOW_BYTES / 2;
export const LAST_WINDOW = DATA_BASE + DATA_BYTES - WINDOW_BYTES;

export const FX_BYTES = 512;
/** Bytes of an FXSAVE image that are the processor's: control words, x87 and XMM registers. */
export const FX_STATE_BYTES = 416;
/** Bytes of the upper halves of sixteen vector registers. */
export const UPPER_BYTES = 256;

const RFLAGS = 8;
const RIP = 12;
const GPR = 16;
const WINDOW = GPR + 16 * 8;
const FX = WINDOW + WINDOW_BYTES;
const NATIVE_SLOT_BYTES = 24;

/** One instruction under test. */
export interface Slot {
  readonly bytes: Uint8Array;
  readonly mode: 32 | 64;
  /** for messages: what was encoded */
  readonly text: string;
}

/** One machine state inside a batch: input (`slot`, `windowAddress`) or result (`vector`, `errorCode`, `rip`). */
export class StateRecord {
  readonly #view: DataView;
  readonly #offset: number;
  readonly window: Uint8Array;
  /** FXSAVE image; empty if the batch has none */
  readonly fx: Uint8Array;
  /** upper halves of YMM0 to YMM15; empty if the batch has no FXSAVE image */
  readonly upper: Uint8Array;

  constructor(buffer: ArrayBuffer, offset: number, bytes: number) {
    this.#view = new DataView(buffer);
    this.#offset = offset;
    this.window = new Uint8Array(buffer, offset + WINDOW, WINDOW_BYTES);
    const withFx = bytes > FX;
    this.fx = new Uint8Array(buffer, offset + FX, withFx ? FX_BYTES : 0);
    this.upper = new Uint8Array(buffer, offset + (withFx ? FX + FX_BYTES : FX), withFx ? UPPER_BYTES : 0);
  }

  #get(field: number): number {
    return this.#view.getUint32(this.#offset + field, true);
  }

  #set(field: number, value: number): void {
    this.#view.setUint32(this.#offset + field, value, true);
  }

  get slot(): number {
    return this.#get(0);
  }
  set slot(value: number) {
    this.#set(0, value);
  }
  get vector(): number {
    return this.#get(0);
  }
  set vector(value: number) {
    this.#set(0, value);
  }
  get windowAddress(): number {
    return this.#get(4);
  }
  set windowAddress(value: number) {
    this.#set(4, value);
  }
  get errorCode(): number {
    return this.#get(4);
  }
  set errorCode(value: number) {
    this.#set(4, value);
  }
  get rflags(): number {
    return this.#get(RFLAGS);
  }
  set rflags(value: number) {
    this.#set(RFLAGS, value);
  }
  /** RIP after, counted from the start of the instruction */
  get rip(): number {
    return this.#get(RIP) | 0;
  }
  set rip(value: number) {
    this.#set(RIP, value);
  }
  /** Takes over another record of the same batch. */
  copyFrom(other: StateRecord): void {
    const bytes = FX + this.fx.length + this.upper.length;
    new Uint8Array(this.#view.buffer, this.#offset, bytes).set(
      new Uint8Array(other.#view.buffer, other.#offset, bytes),
    );
  }
  gpr(register: number): bigint {
    return this.#view.getBigUint64(this.#offset + GPR + 8 * register, true);
  }
  setGpr(register: number, value: bigint): void {
    this.#view.setBigUint64(this.#offset + GPR + 8 * register, BigInt.asUintN(64, value), true);
  }
}

/** The executions of one run. */
export class Batch {
  readonly slots: readonly Slot[];
  readonly cases: number;
  readonly withFx: boolean;
  readonly recordBytes: number;
  readonly records: ArrayBuffer;

  constructor(slots: readonly Slot[], cases: number, withFx = false) {
    this.slots = slots;
    this.cases = cases;
    this.withFx = withFx;
    this.recordBytes = withFx ? FX + FX_BYTES + UPPER_BYTES : FX;
    this.records = new ArrayBuffer(cases * this.recordBytes);
  }

  input(index: number): StateRecord {
    return this.at(this.records, index);
  }

  /** A record of a buffer of results. */
  at(buffer: ArrayBuffer, index: number): StateRecord {
    return new StateRecord(buffer, index * this.recordBytes, this.recordBytes);
  }

  entryOf(slot: number): number {
    return CODE_BASE + slot * SLOT_BYTES + SLOT_ENTRY;
  }

  /** The slots and records as native.c reads them. */
  serialize(): Uint8Array {
    const slotsAt = 16;
    const recordsAt = slotsAt + this.slots.length * NATIVE_SLOT_BYTES;
    const bytes = new Uint8Array(recordsAt + this.records.byteLength);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, this.slots.length, true);
    view.setUint32(4, this.cases, true);
    view.setUint32(8, this.withFx ? 1 : 0, true);
    for (const [index, slot] of this.slots.entries()) {
      const at = slotsAt + index * NATIVE_SLOT_BYTES;
      view.setUint32(at, slot.bytes.length, true);
      view.setUint32(at + 4, slot.mode, true);
      bytes.set(slot.bytes, at + 8);
    }
    bytes.set(new Uint8Array(this.records), recordsAt);
    return bytes;
  }
}
