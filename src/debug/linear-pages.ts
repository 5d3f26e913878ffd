/**
 * The page tables of 64-bit code, for somebody who looks often: as walkLinear, no accessed bit is set and no right is asked for, but addresses
 * are numbers. A linear address here is its signed value, so 0xFFFF_FFFF_8000_0000 is -2^31: exact up to 48 bits, and beyond for what is
 * aligned to 8 bytes, as words of stacks are.
 */
import { type LogicalProcessor, S, SecondLevel } from '../cpu/index.ts';
import { type HostMemory, PAGE_SIZE_BYTES } from '../memory/index.ts';

const CR4_LA57 = 1 << 12;
const EFER_LMA = 1 << 10;
const PRESENT = 1;
const LARGE = 0x80;
const FRAME_HIGH = 0x000f_ffff;
const TWO_32 = 0x1_0000_0000;
/** what an entry of the levels 1 to 5 maps */
const ENTRY_BYTES = [0, 1, 2, 3, 4].map((level) => PAGE_SIZE_BYTES * 512 ** level);

/** The signed value of an address. */
export function signedAddress(low: number, high: number): number {
  return high * TWO_32 + (low >>> 0);
}

/** What is looked at of a processor. */
export type LookedAt = Pick<LogicalProcessor, 'memory' | 'state' | 'secondLevel'>;

export class LinearPages {
  readonly memory: HostMemory;
  readonly #processor: LookedAt;
  /** of the last address: bytes from it on that are mapped, or not mapped, by the same entry */
  spanBytes = PAGE_SIZE_BYTES;

  constructor(processor: LookedAt) {
    this.#processor = processor;
    this.memory = processor.memory;
  }

  /** Guest physical address of a linear one, shared bit included; -1: it is not mapped, or the processor is not in long mode. */
  physicalOf(address: number): number {
    const { state } = this.#processor;
    const { i32 } = this.memory;
    if ((state.low(S.efer) & EFER_LMA) === 0) return -1;
    const high = Math.floor(address / TWO_32);
    let table = frameOf(state.low(S.cr3), state.high(S.cr3));
    for (let level = (state.low(S.cr4) & CR4_LA57) !== 0 ? 5 : 4; ; level--) {
      const bytes = ENTRY_BYTES[level - 1]!;
      const inside = modulo(address, bytes);
      this.spanBytes = bytes - inside;
      const host = this.hostOf(table + indexOf(level, address | 0, high | 0) * 8);
      if (host < 0) return -1;
      const low = i32[host >>> 2]!;
      if ((low & PRESENT) === 0) return -1;
      const frame = frameOf(low, i32[(host >>> 2) + 1]!);
      if (level === 1 || (level <= 3 && (low & LARGE) !== 0)) return frame - (frame % bytes) + inside;
      table = frame;
    }
  }

  /** Where the host has a guest physical address: a byte offset in its memory; -1: nothing is to be read there. */
  hostOf(gpa: number): number {
    const { secondLevel } = this.#processor;
    const entry = secondLevel === null ? SecondLevel.entry(gpa, SecondLevel.Read) : secondLevel.lookup(gpa);
    const host = SecondLevel.hpaOf(entry) + (gpa & (PAGE_SIZE_BYTES - 1));
    return (entry & SecondLevel.Read) !== 0 && this.memory.isRam(host, 1) ? host : -1;
  }

  /** The same of a linear address. */
  hostOfLinear(address: number): number {
    const gpa = this.physicalOf(address);
    return gpa < 0 ? -1 : this.hostOf(gpa);
  }

  /** A copy of memory by linear address; what is not mapped or cannot be reached ends the bytes. */
  read(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const host = this.hostOfLinear(address + done);
      if (host < 0) return bytes.subarray(0, done);
      const part = Math.min(length - done, PAGE_SIZE_BYTES - (host & (PAGE_SIZE_BYTES - 1)));
      bytes.set(this.memory.u8.subarray(host, host + part), done);
      done += part;
    }
    return bytes;
  }
}

function frameOf(low: number, high: number): number {
  return (high & FRAME_HIGH) * TWO_32 + ((low & ~0xfff) >>> 0);
}

function modulo(address: number, bytes: number): number {
  return address - Math.floor(address / bytes) * bytes;
}

function indexOf(level: number, low: number, high: number): number {
  switch (level) {
    case 1:
      return (low >>> 12) & 511;
    case 2:
      return (low >>> 21) & 511;
    case 3:
      return ((low >>> 30) | (high << 2)) & 511;
    case 4:
      return (high >>> 7) & 511;
    default:
      return (high >>> 16) & 511;
  }
}
