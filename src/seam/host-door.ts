/** The VMM's door to the TDX module: SEAMCALL, and the hardware that host and module share. */
import type { RegisterFile, SharedEpt } from '../abi/index.ts';

export { TdhLeaf, tdhLeafName } from '../abi/index.ts';

export interface HostDoor {
  /**
   * SEAMCALL: leaf in RAX, operands as the ABI's tables (addresses are HPAs). On return RAX is the completion status and
   * the leaf's output registers are set; TDH.VP.ENTER returns when the TD exits:
   * - TDG.VP.VMCALL: RAX = 77 (TDCALL), RCX = the guest's mask, selected registers as the guest left them, the others 0.
   * - otherwise: RAX 63:32 = completion code, 31:0 = exit reason, RCX = exit qualification, RDX = extended qualification,
   *   R8 = GPA with bits 11:0 clear, R9 = interruption information, all others 0.
   */
  seamcall(registers: RegisterFile): void;

  /**
   * SEAMLDR.INSTALL for an update: the loader puts the same module in the place of one that was shut down; TDH.SYS.INIT comes next.
   * Throws a RangeError if TDH.SYS.SHUTDOWN has not been called. Source: TDX Module 1.5 Base Architecture, "TD-Preserving TDX Module Update".
   */
  installModule(): void;

  /** Installs the shared half of a TD's EPT (hardware: the SHARED_EPTP of each vCPU). Later edits count from the next TDH.VP.ENTER. */
  attachSharedEpt(tdrHpa: number, sharedEpt: SharedEpt): void;

  /** Posts a vector (16 to 255) in the vCPU's posted-interrupt descriptor; it is merged into the virtual APIC at the next entry. */
  postInterrupt(tdvprHpa: number, vector: number): void;
}
