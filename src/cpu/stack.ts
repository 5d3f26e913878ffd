/** The stack as host-side instructions use it: checked loads and stores first, the pointer moves last. */
import { Gpr } from './gpr.ts';
import type { Processor } from './processor.ts';
import { is64Bit, Rights, Segment } from './segments.ts';
import { S } from './state.ts';

const RSP = S.gpr + Gpr.Rsp * 8;

/** Width of the stack pointer in bits: 64 in 64-bit mode, else by SS.B. */
export function stackAddressBits(cpu: Processor): 16 | 32 | 64 {
  if (is64Bit(cpu)) return 64;
  return (cpu.state.low(S.segmentRights + Segment.Ss * 4) & Rights.Big) !== 0 ? 32 : 16;
}

/** Sets cpu.addressLow/High to the linear address `offsetBytes` from the stack pointer. */
function address(cpu: Processor, offsetBytes: number): void {
  const { state } = cpu;
  const bits = stackAddressBits(cpu);
  const pointer = state.low(RSP);
  const low = (pointer + offsetBytes) | 0;
  if (bits === 64) {
    cpu.addressLow = low;
    cpu.addressHigh = (state.high(RSP) + Math.floor(((pointer >>> 0) + offsetBytes) / 0x1_0000_0000)) | 0;
    return;
  }
  const wrapped = bits === 32 ? low : low & 0xffff;
  cpu.addressLow = (wrapped + state.low(S.segmentBase + Segment.Ss * 8)) | 0;
  cpu.addressHigh = 0;
}

/** Loads `sizeBytes` at `offsetBytes` from the stack pointer into cpu.dataLow/dataHigh; returns the low half. */
export function peek(cpu: Processor, offsetBytes: number, sizeBytes: number): number {
  address(cpu, offsetBytes);
  return cpu.load(cpu.addressLow, cpu.addressHigh, sizeBytes);
}

/** Stores `sizeBytes` at `offsetBytes` from the stack pointer. */
export function poke(cpu: Processor, offsetBytes: number, sizeBytes: number, low: number, high: number): void {
  address(cpu, offsetBytes);
  cpu.store(cpu.addressLow, cpu.addressHigh, sizeBytes, low, high);
}

/** Moves the stack pointer. */
export function adjust(cpu: Processor, deltaBytes: number): void {
  const { state } = cpu;
  const bits = stackAddressBits(cpu);
  const low = state.low(RSP);
  const sum = (low + deltaBytes) | 0;
  if (bits === 64) state.set(RSP, sum, (state.high(RSP) + Math.floor(((low >>> 0) + deltaBytes) / 0x1_0000_0000)) | 0);
  else if (bits === 32) state.set(RSP, sum, 0);
  else state.setLow(RSP, (low & 0xffff_0000) | (sum & 0xffff));
}

/** Sets the stack pointer at the width the current stack has. */
export function setStackPointer(cpu: Processor, low: number, high: number): void {
  const { state } = cpu;
  const bits = stackAddressBits(cpu);
  if (bits === 64) state.set(RSP, low, high);
  else if (bits === 32) state.set(RSP, low, 0);
  else state.setLow(RSP, (state.low(RSP) & 0xffff_0000) | (low & 0xffff));
}
