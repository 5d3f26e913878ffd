/** A vCPU and its memory as somebody sees them who stands outside of everything: for reports, never for a host. */

import { type Gpaw, isSharedGpa, stripSharedBit } from '../../abi/index.ts';
import { join64 } from '../../bits/index.ts';
import { ExitReason, type LogicalProcessor, S } from '../../cpu/index.ts';
import { createInstruction, DecodeResult, Decoder, type Instruction } from '../../isa/index.ts';
import type { Td, TdxPlatform } from '../../machine/index.ts';
import { BenchTarget } from '../gdb/bench-target.ts';
import { type DebugTarget, readLinear, rowValue, walkOf } from '../gdb/target.ts';
import { LinearPages } from '../linear-pages.ts';
import type { LinearWalk } from '../linear-walk.ts';

const PAGE_BYTES = 4096;
const EFER_LMA = 1 << 10;
const RIGHTS_L = 1 << 13;
const RIGHTS_D = 1 << 14;
const CS = 1;
const CODE_RIGHTS = S.segmentRights + 4 * CS;
const CODE_BASE = S.segmentBase + 8 * CS;
const LONGEST_INSTRUCTION = 15;
/** of the exit qualification of an EPT violation */
const GLA_VALID = 1 << 7;

export interface DecodedInstruction {
  /** linear */
  readonly address: bigint;
  readonly bytes: Uint8Array;
  /** undefined: these bytes are no instruction; then there is one of them */
  readonly instruction: Instruction | undefined;
}

export class GuestView {
  readonly #processor: LogicalProcessor;
  readonly #target: DebugTarget;
  readonly #vcpu: number;
  readonly gpaw: Gpaw;
  /** for who looks often */
  readonly pages: LinearPages;

  /** @param vcpu which of the TD's vCPUs */
  constructor(platform: TdxPlatform, { host }: Td, vcpu: number) {
    this.#processor = platform.module.processorsOf(host.tdrHpa)[vcpu]!;
    this.#target = new BenchTarget(platform, host.tdrHpa);
    this.#vcpu = vcpu;
    this.gpaw = host.gpaw;
    this.pages = new LinearPages(this.#processor);
  }

  /** A row of the processor's state of up to 8 bytes by its name: "RIP", "CR2", "IDTR.base"; RFLAGS is put together. */
  register(name: string): bigint {
    const value = rowValue(this.#target, this.#vcpu, name);
    if (value === undefined) throw new RangeError(`no state row is called ${name}`);
    return value;
  }

  get mode(): 16 | 32 | 64 {
    const { state } = this.#processor;
    const rights = state.low(CODE_RIGHTS);
    if ((state.low(S.efer) & EFER_LMA) !== 0 && (rights & RIGHTS_L) !== 0) return 64;
    return (rights & RIGHTS_D) !== 0 ? 32 : 16;
  }

  /** Linear address of the next instruction. */
  get instructionPointer(): bigint {
    const rip = this.register('RIP');
    return this.mode === 64 ? rip : BigInt.asUintN(32, rip + this.#processor.state.big(CODE_BASE));
  }

  /** current privilege level */
  get privilege(): number {
    return this.#processor.state.low(S.cpl);
  }

  get retired(): number {
    return this.#processor.retired;
  }

  /** Linear address whose use met the second level at this guest physical page last; undefined: it was another page. */
  linearOf(gpa: number): bigint | undefined {
    const { exit, virtualizationException } = this.#processor;
    const asVirtual = { ...virtualizationException, reason: virtualizationException.exitReason };
    for (const met of [exit, asVirtual]) {
      const isThis = met.reason === ExitReason.EptViolation && (met.qualificationLow & GLA_VALID) !== 0;
      if (isThis && Math.floor(met.guestPhysical / PAGE_BYTES) === Math.floor(gpa / PAGE_BYTES))
        return join64(met.guestLinearLow, met.guestLinearHigh);
    }
    return undefined;
  }

  /** Guest physical memory, shared bit included; what cannot be reached ends the bytes. */
  readPhysical(gpa: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const part = Math.min(length - done, PAGE_BYTES - ((gpa + done) % PAGE_BYTES));
      const read = this.#target.readPhysical(BigInt(gpa + done), part);
      if (read === undefined) return bytes.subarray(0, done);
      bytes.set(read, done);
      done += part;
    }
    return bytes;
  }

  walk(linear: bigint): LinearWalk {
    return walkOf(this.#target, this.#vcpu, linear);
  }

  /** Memory by linear address; what is not mapped or cannot be reached ends the bytes. */
  readLinear(linear: bigint, length: number): Uint8Array {
    return readLinear(this.#target, this.#vcpu, linear, length);
  }

  /** Instructions from an address on. */
  decode(from: bigint, count: number): DecodedInstruction[] {
    const decoder = new Decoder();
    const found: DecodedInstruction[] = [];
    let address = from;
    while (found.length < count) {
      const bytes = this.readLinear(address, LONGEST_INSTRUCTION);
      if (bytes.length === 0) break;
      const instruction = createInstruction();
      const isGood = decoder.decode(bytes, 0, bytes.length, this.mode, instruction) === DecodeResult.Ok;
      const length = isGood ? instruction.length : 1;
      found.push({
        address,
        bytes: bytes.subarray(0, length),
        instruction: isGood ? instruction : undefined,
      });
      address += BigInt(length);
    }
    return found;
  }

  /**
   * `before` instructions that end at `address`, and those from it on. Code cannot be read backwards: the longest way that meets the
   * address is taken.
   */
  around(address: bigint, before: number, after: number): DecodedInstruction[] {
    for (let back = Math.min(LONGEST_INSTRUCTION * before, Number(BigInt.asUintN(63, address))); back > 0; back--) {
      const leading = this.decode(address - BigInt(back), LONGEST_INSTRUCTION * before);
      const meets = leading.findIndex((one) => one.address === address);
      if (meets < 0 || leading.slice(0, meets).some(({ instruction }) => instruction === undefined)) continue;
      return [...leading.slice(Math.max(0, meets - before), meets), ...this.decode(address, after)];
    }
    return this.decode(address, after);
  }

  /** Gate of a vector in the interrupt table: undefined where there is none that could be used. */
  handlerOf(vector: number): bigint | undefined {
    const size = this.mode === 64 || (this.register('EFER') & BigInt(EFER_LMA)) !== 0n ? 16 : 8;
    if (BigInt(size * (vector + 1) - 1) > this.register('IDTR.limit')) return undefined;
    const bytes = this.readLinear(this.register('IDTR.base') + BigInt(size * vector), size);
    if (bytes.length < size || (bytes[5]! & 0x80) === 0) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const low = BigInt(view.getUint16(0, true)) | (BigInt(view.getUint16(6, true)) << 16n);
    return size === 16 ? low | (BigInt(view.getUint32(8, true)) << 32n) : low;
  }

  /** The address without its shared bit, and whether it had one. */
  splitGpa(gpa: number): { readonly address: number; readonly isShared: boolean } {
    return { address: stripSharedBit(gpa, this.gpaw), isShared: isSharedGpa(gpa, this.gpaw) };
  }
}
