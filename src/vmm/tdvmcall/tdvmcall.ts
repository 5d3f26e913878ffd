/** What every sub-function of TDG.VP.VMCALL is to the host: a row with a number, a source and a service. */
import type { RegisterFile, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import type { TdHost } from '../td-host.ts';
import type { Vcpu } from '../vcpu.ts';

/** One call on its way: operands are read from, and results written to, the registers the TD exposed. */
export interface Tdvmcall {
  readonly td: TdHost;
  readonly vcpu: Vcpu;
  readonly registers: RegisterFile;
  /** R11 as the guest set it */
  readonly leaf: TdvmcallLeaf;
}

export interface TdvmcallRow {
  readonly leaf: TdvmcallLeaf;
  /** section title of the GHCI (Guest-Host Communication Interface for Intel TDX 1.5) */
  readonly section: string;
  /** Serves the call; the status goes to the guest in R10. Never throws for what a guest says. */
  readonly serve: (call: Tdvmcall) => TdvmcallStatus;
}

/** Operand sizes of the port and MMIO services. */
export function isAccessSize(size: bigint, widest: 4 | 8): boolean {
  return size === 1n || size === 2n || size === 4n || (size === 8n && widest === 8);
}
