/**
 * Where a script takes the host's place. The host is not trusted, so whatever it does is allowed here: a hook may answer a
 * sub-function itself, change an answer, garble every register on its way into the guest, lose interrupts, or stop the TD.
 */
import type { TdvmcallStatus } from '../abi/index.ts';
import type { TdHost } from './td-host.ts';
import type { Tdvmcall } from './tdvmcall/tdvmcall.ts';
import type { Vcpu } from './vcpu.ts';

export interface VmmHooks {
  /**
   * In place of serving a TDVMCALL. `serve` does what the host would have done and returns its status; what this
   * returns goes to the guest in R10. The other registers are in `call.registers`, before and after.
   */
  readonly tdvmcall?: (call: Tdvmcall, serve: () => TdvmcallStatus) => TdvmcallStatus;
  /** Just before TDH.VP.ENTER: the last word on `vcpu.registers` (RAX and RCX are the host's own and set afterwards). */
  readonly beforeEntry?: (vcpu: Vcpu, td: TdHost) => void;
  /** Just after TDH.VP.ENTER returned, before the exit is looked at. */
  readonly afterExit?: (vcpu: Vcpu, td: TdHost) => void;
  /** A vector is about to be posted; false loses it. */
  readonly postInterrupt?: (vcpu: Vcpu, vector: number) => boolean;
}
