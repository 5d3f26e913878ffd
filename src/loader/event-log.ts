/**
 * The confidential-computing event log: what was measured, in the order in which it was. Source: TCG PC Client Platform Firmware
 * Profile 1.05, "Event Logging" (crypto-agile format); UEFI 2.10, section 38.4.1 "Virtual Platform CC Event Log" for the numbers of the registers.
 */
import { DIGEST_BYTES } from '../abi/index.ts';

/** Types of events that we write, and of some that firmware writes. */
export const EventType = {
  NO_ACTION: 0x03,
  SEPARATOR: 0x04,
  PLATFORM_CONFIG_FLAGS: 0x0a,
  IPL: 0x0d,
  EFI_VARIABLE_DRIVER_CONFIG: 0x8000_0001,
  EFI_VARIABLE_BOOT: 0x8000_0002,
  EFI_BOOT_SERVICES_APPLICATION: 0x8000_0003,
  EFI_ACTION: 0x8000_0007,
  EFI_PLATFORM_FIRMWARE_BLOB2: 0x8000_000a,
  EFI_HANDOFF_TABLES2: 0x8000_000b,
} as const;

const EVENT_TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [0x03, 'EV_NO_ACTION'],
  [0x04, 'EV_SEPARATOR'],
  [0x05, 'EV_ACTION'],
  [0x06, 'EV_EVENT_TAG'],
  [0x08, 'EV_S_CRTM_VERSION'],
  [0x0a, 'EV_PLATFORM_CONFIG_FLAGS'],
  [0x0d, 'EV_IPL'],
  [0x8000_0001, 'EV_EFI_VARIABLE_DRIVER_CONFIG'],
  [0x8000_0002, 'EV_EFI_VARIABLE_BOOT'],
  [0x8000_0003, 'EV_EFI_BOOT_SERVICES_APPLICATION'],
  [0x8000_0006, 'EV_EFI_GPT_EVENT'],
  [0x8000_0007, 'EV_EFI_ACTION'],
  [0x8000_0008, 'EV_EFI_PLATFORM_FIRMWARE_BLOB'],
  [0x8000_0009, 'EV_EFI_HANDOFF_TABLES'],
  [0x8000_000a, 'EV_EFI_PLATFORM_FIRMWARE_BLOB2'],
  [0x8000_000b, 'EV_EFI_HANDOFF_TABLES2'],
  [0x8000_00e0, 'EV_EFI_VARIABLE_AUTHORITY'],
]);

export function eventTypeName(type: number): string {
  return EVENT_TYPE_NAMES.get(type) ?? `0x${type.toString(16)}`;
}

export interface MeasuredEvent {
  /** run-time measurement register: 0 to 3; -1: MRTD */
  readonly rtmr: number;
  readonly type: number;
  /** SHA-384, what the register is extended with */
  readonly digest: Uint8Array;
  readonly data: Uint8Array;
}

/** The log calls MRTD 0 and RTMR n n + 1. */
const MR_INDEX_OF_RTMR0 = 1;
const SHA384_ALGORITHM = 0x0c;
const SIGNATURE = 'Spec ID Event03';
const FILL = 0xff;

/** A log that fills its area. Throws a RangeError if it does not fit. */
export function encodeEventLog(events: readonly MeasuredEvent[], areaBytes: number): Uint8Array {
  const area = new Uint8Array(areaBytes).fill(FILL);
  const writer = new Writer(area);
  const header = specificationId();
  writer.u32(0);
  writer.u32(EventType.NO_ACTION);
  writer.bytes(new Uint8Array(20));
  writer.u32(header.length);
  writer.bytes(header);
  for (const { rtmr, type, digest, data } of events) {
    writer.u32(rtmr + MR_INDEX_OF_RTMR0);
    writer.u32(type);
    writer.u32(1);
    writer.u16(SHA384_ALGORITHM);
    writer.bytes(digest);
    writer.u32(data.length);
    writer.bytes(data);
  }
  return area;
}

/** undefined: these bytes do not begin as such a log. What comes after the last whole event is left alone. */
export function parseEventLog(bytes: Uint8Array): MeasuredEvent[] | undefined {
  const reader = new Reader(bytes);
  const isHeader = reader.has(32) && reader.u32() === 0 && reader.u32() === EventType.NO_ACTION;
  if (!isHeader) return undefined;
  reader.take(20);
  const headerBytes = reader.u32();
  if (!reader.has(headerBytes)) return undefined;
  const header = reader.take(headerBytes);
  if (new TextDecoder().decode(header.subarray(0, SIGNATURE.length)) !== SIGNATURE) return undefined;
  const events: MeasuredEvent[] = [];
  while (reader.has(12)) {
    const rtmr = reader.u32() - MR_INDEX_OF_RTMR0;
    const type = reader.u32();
    const digests = reader.u32();
    if (rtmr > 3 || digests !== 1 || !reader.has(2 + DIGEST_BYTES + 4)) break;
    if (reader.u16() !== SHA384_ALGORITHM) break;
    const digest = reader.take(DIGEST_BYTES);
    const dataBytes = reader.u32();
    if (!reader.has(dataBytes)) break;
    events.push({ rtmr, type, digest, data: reader.take(dataBytes) });
  }
  return events;
}

/** TCG_EfiSpecIDEvent: version 2.0, pointers of 8 bytes, one algorithm. */
function specificationId(): Uint8Array {
  const bytes = new Uint8Array(33);
  const writer = new Writer(bytes);
  writer.bytes(new TextEncoder().encode(`${SIGNATURE}\0`));
  writer.u32(0);
  writer.bytes(Uint8Array.of(0, 2, 0, 2));
  writer.u32(1);
  writer.u16(SHA384_ALGORITHM);
  writer.u16(DIGEST_BYTES);
  return bytes;
}

class Writer {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  bytes(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  u16(value: number): void {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
  }

  u32(value: number): void {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }
}

class Reader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  has(length: number): boolean {
    return this.#at + length <= this.#bytes.length;
  }

  take(length: number): Uint8Array {
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  u16(): number {
    this.#at += 2;
    return this.#view.getUint16(this.#at - 2, true);
  }

  u32(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }
}
