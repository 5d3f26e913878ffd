/** What every sub-function of TDG.VP.VMCALL is to the host: a row with a number, a source and a service. */
import type { RegisterFile, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import type { TdHost } from '../td-host.ts';
import type { Vcpu } from '../vcpu.ts';

/**
 * One call on its way: operands are read from, and results written to, the registers the TD exposed. Each vCPU has one of these
 * for all its calls, so that a call costs no allocation: who wants it after the call copies what he needs.
 */
export interface Tdvmcall {
  readonly td: TdHost;
  readonly vcpu: Vcpu;
  readonly registers: RegisterFile;
  /** R11 as the guest set it; values that do not fit a number are rounded, and are no leaf of anybody */
  leaf: TdvmcallLeaf;
}

export interface TdvmcallRow {
  readonly leaf: TdvmcallLeaf;
  /** section title of the GHCI (Guest-Host Communication Interface for Intel TDX 1.5) */
  readonly section: string;
  /** what of it is not there, for docs/coverage.md */
  readonly missing?: string;
  /** Serves the call; the status goes to the guest in R10. Never throws for what a guest says. */
  readonly serve: (call: Tdvmcall) => TdvmcallStatus;
}

/** Operand sizes of the port and MMIO services. */
export function isAccessSize(size: number, widest: 4 | 8): boolean {
  return size === 1 || size === 2 || size === 4 || (size === 8 && widest === 8);
}

/** The lowest 1, 2 or 4 bytes of a value, unsigned. */
export function lowBytes(value: number, sizeBytes: number): number {
  return sizeBytes === 4 ? value >>> 0 : value & ((1 << (8 * sizeBytes)) - 1);
}
