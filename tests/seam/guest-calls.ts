/** A guest that makes TDCALLs, and what it and its host get. */
import { type CompletionCode, Gpr, TdgLeaf } from '../../src/abi/index.ts';
import { type Bench, tdcall } from './scripted-td.ts';

export const ALL_ONES = 0xffff_ffff_ffff_ffffn;
export const SHARED_BIT = 0x8000_0000_0000;

/** RAX as the guest reads it. */
export const statusOf = (code: CompletionCode, details: number | bigint = 0): bigint =>
  (BigInt(code) << 32n) | BigInt(details);

export type GuestRegisters = Partial<Record<keyof typeof Gpr, bigint | number>>;

/** Executes one TDCALL on the first vCPU; returns RAX. */
export function call(bench: Bench, leaf: number, registers: GuestRegisters = {}, version = 0): bigint {
  bench.enter([tdcall({ ...registers, RAX: leaf | (version << 16) })]);
  return bench.processors[0]!.get(Gpr.RAX);
}

/** A register of the first vCPU. */
export const guest = (bench: Bench, register: Gpr): bigint => bench.processors[0]!.get(register);

/** Guest memory, accepted; returns its host address. */
export function acceptedPage(bench: Bench, gpa = 0x1000): number {
  const hpa = bench.augment(gpa);
  call(bench, TdgLeaf.MEM_PAGE_ACCEPT, { RCX: gpa });
  return hpa;
}
