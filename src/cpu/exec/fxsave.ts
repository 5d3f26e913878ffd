/** FXSAVE and FXRSTOR: the 512-byte image of x87, MMX and SSE state (SDM Vol. 1, "FXSAVE Area"; XSAVE's legacy region is the same). */

import type { Instruction } from '../../isa/index.ts';
import { addressOf } from '../effective-address.ts';
import { requireFpu, setControlWord, setStatusWord, top } from '../fpu/x87-state.ts';
import { GuestFault, type HostOperation, type Processor } from '../processor.ts';
import { S } from '../state.ts';
import type { OperationTable } from './sem.ts';

const GENERAL_PROTECTION = 13;
/** MXCSR bits that exist: all of 15:0 (DAZ included). */
export const MXCSR_MASK = 0xffff;

/** Byte offsets in the image. */
export const Image = { fpuIp: 8, fpuDp: 16, mxcsr: 24, mxcsrMask: 28, registers: 32, xmm: 160, reserved: 416 } as const;

/** An image under way between state and memory; contents do not outlive an instruction. */
export class LegacyImage {
  readonly bytes = new Uint8Array(Image.reserved);
  readonly i32 = new Int32Array(this.bytes.buffer);

  /** Fills in x87 control, instruction and data pointers, and the eight registers in stack order. `wide`: REX.W, 64-bit pointers. */
  takeX87(cpu: Processor, wide: boolean): void {
    const { state } = cpu;
    const { i32 } = this;
    i32[0] = (state.low(S.fpuControl) & 0xffff) | (state.low(S.fpuStatus) << 16);
    i32[1] = (state.low(S.fpuTag) & 0xff) | (state.low(S.fpuOpcode) << 16);
    i32[2] = state.low(S.fpuIp);
    i32[3] = wide ? state.high(S.fpuIp) : 0;
    i32[4] = state.low(S.fpuDp);
    i32[5] = wide ? state.high(S.fpuDp) : 0;
    const first = top(cpu);
    for (let i = 0; i < 8; i++) {
      const row = S.fpuRegister + 16 * ((first + i) & 7);
      const at = (Image.registers >> 2) + 4 * i;
      i32[at] = state.low(row);
      i32[at + 1] = state.high(row);
      i32[at + 2] = state.low(row + 8) & 0xffff;
      i32[at + 3] = 0;
    }
  }

  takeMxcsr(cpu: Processor): void {
    this.i32[Image.mxcsr >> 2] = cpu.state.low(S.mxcsr);
    this.i32[Image.mxcsrMask >> 2] = MXCSR_MASK;
  }

  takeXmm(cpu: Processor, count: number): void {
    const source = cpu.memory.i32;
    const first = (cpu.state.base + S.vector) >> 2;
    for (let i = 0; i < count; i++)
      for (let word = 0; word < 4; word++) this.i32[(Image.xmm >> 2) + 4 * i + word] = source[first + 8 * i + word]!;
  }

  giveX87(cpu: Processor, wide: boolean): void {
    const { state } = cpu;
    const { i32 } = this;
    setControlWord(cpu, i32[0]! & 0xffff);
    setStatusWord(cpu, i32[0]! >>> 16);
    state.setLow(S.fpuTag, i32[1]! & 0xff);
    state.setLow(S.fpuOpcode, (i32[1]! >>> 16) & 0x7ff);
    state.set(S.fpuIp, i32[2]!, wide ? i32[3]! : 0);
    state.set(S.fpuDp, i32[4]!, wide ? i32[5]! : 0);
    const first = top(cpu);
    for (let i = 0; i < 8; i++) {
      const row = S.fpuRegister + 16 * ((first + i) & 7);
      const at = (Image.registers >> 2) + 4 * i;
      state.set(row, i32[at]!, i32[at + 1]!);
      state.setLow(row + 8, i32[at + 2]! & 0xffff);
    }
  }

  /** #GP(0) if the image sets MXCSR bits that do not exist. */
  checkMxcsr(): void {
    if (this.i32[Image.mxcsr >> 2]! & ~MXCSR_MASK) throw new GuestFault(GENERAL_PROTECTION, 0);
  }

  giveMxcsr(cpu: Processor): void {
    cpu.state.setLow(S.mxcsr, this.i32[Image.mxcsr >> 2]!);
  }

  giveXmm(cpu: Processor, count: number): void {
    const target = cpu.memory.i32;
    const first = (cpu.state.base + S.vector) >> 2;
    for (let i = 0; i < count; i++)
      for (let word = 0; word < 4; word++) target[first + 8 * i + word] = this.i32[(Image.xmm >> 2) + 4 * i + word]!;
  }
}

/** XMM registers that exist in the processor's mode. */
export const vectorCount = (instruction: Instruction): number => (instruction.mode === 64 ? 16 : 8);

const image = new LegacyImage();
const imageWithoutUpperHalf = image.bytes.subarray(0, Image.xmm + 8 * 16);
const imageBytes = (instruction: Instruction): Uint8Array =>
  instruction.mode === 64 ? image.bytes : imageWithoutUpperHalf;

/** Address of an image: a multiple of `alignment` or #GP(0); left in cpu.addressLow/High. */
export function imageAddress(cpu: Processor, instruction: Instruction, alignment: number): void {
  requireFpu(cpu);
  addressOf(cpu, instruction);
  if (cpu.addressLow & (alignment - 1)) throw new GuestFault(GENERAL_PROTECTION, 0);
}

const save =
  (wide: boolean): HostOperation =>
  (cpu, instruction) => {
    imageAddress(cpu, instruction, 16);
    image.takeX87(cpu, wide || instruction.operandSize === 64);
    image.takeMxcsr(cpu);
    image.takeXmm(cpu, vectorCount(instruction));
    cpu.storeBytes(cpu.addressLow, cpu.addressHigh, imageBytes(instruction));
  };

const restore =
  (wide: boolean): HostOperation =>
  (cpu, instruction) => {
    imageAddress(cpu, instruction, 16);
    cpu.loadBytes(cpu.addressLow, cpu.addressHigh, imageBytes(instruction));
    image.checkMxcsr();
    image.giveX87(cpu, wide || instruction.operandSize === 64);
    image.giveMxcsr(cpu);
    image.giveXmm(cpu, vectorCount(instruction));
  };

export const fxsaveOperations: OperationTable = {
  FXSAVE: { host: save(false) },
  FXSAVE64: { host: save(true) },
  FXRSTOR: { host: restore(false) },
  FXRSTOR64: { host: restore(true) },
};
