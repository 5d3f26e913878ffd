/** Guest registers as TDCALL leaves read and write them: row offsets of the processor's state. */
import { Gpr } from '../../abi/index.ts';
import { S } from '../../cpu/index.ts';
import type { Vcpu } from '../structures/vcpu.ts';

const row = (register: Gpr): number => S.gpr + register * 8;

export const RAX = row(Gpr.RAX);
export const RCX = row(Gpr.RCX);
export const RDX = row(Gpr.RDX);
export const R8 = row(Gpr.R8);
export const R9 = row(Gpr.R9);
export const R10 = row(Gpr.R10);
export const R11 = row(Gpr.R11);

/** A register as a number; addresses at and above 2^52 come out too large for every check. */
export function addressIn(vcpu: Vcpu, offset: number): number {
  const { state } = vcpu.cpu;
  return (state.high(offset) >>> 0) * 0x1_0000_0000 + (state.low(offset) >>> 0);
}
