/** Instructions that the owner of the processor carries out: checks of privilege here, then an exit. */
import { Cr4 } from '../../architecture.ts';
import { ExitReason } from '../../exit.ts';
import type { Processor } from '../../processor.ts';
import { generalProtection } from '../../segments.ts';
import { S } from '../../state.ts';
import type { Operation, OperationTable } from '../sem.ts';
import { invalidOpcode, requireSupervisor } from './operand.ts';

type Check = (cpu: Processor) => void;

const anyone: Check = () => {};

/** #UD instead of #GP outside privilege level 0 */
const supervisorOrUndefined: Check = (cpu) => {
  if (cpu.state.low(S.cpl) !== 0) throw invalidOpcode();
};

function exits(reason: ExitReason, check: Check): Operation {
  return {
    endsBlock: true,
    host: (cpu, instruction) => {
      check(cpu);
      cpu.leave(reason, instruction);
    },
  };
}

const undefinedInstruction: Operation = {
  endsBlock: true,
  host: () => {
    throw invalidOpcode();
  },
};

export const exitingOperations: OperationTable = {
  CPUID: exits(ExitReason.Cpuid, anyone),
  HLT: exits(ExitReason.Hlt, requireSupervisor),
  INVD: exits(ExitReason.Invd, requireSupervisor),
  WBINVD: exits(ExitReason.Wbinvd, requireSupervisor),
  WBNOINVD: exits(ExitReason.Wbinvd, requireSupervisor),
  MONITOR: exits(ExitReason.Monitor, supervisorOrUndefined),
  MWAIT: exits(ExitReason.Mwait, supervisorOrUndefined),
  RDPMC: exits(ExitReason.Rdpmc, (cpu) => {
    if ((cpu.state.low(S.cr4) & Cr4.PCE) === 0) requireSupervisor(cpu);
  }),
  XSETBV: exits(ExitReason.Xsetbv, (cpu) => {
    if ((cpu.state.low(S.cr4) & Cr4.OSXSAVE) === 0) throw invalidOpcode();
    requireSupervisor(cpu);
  }),
  VMCALL: exits(ExitReason.Vmcall, anyone),
  VMCLEAR: exits(ExitReason.VmxInstruction, anyone),
  VMLAUNCH: exits(ExitReason.Vmlaunch, anyone),
  VMPTRLD: exits(ExitReason.Vmptrld, anyone),
  VMPTRST: exits(ExitReason.Vmptrst, anyone),
  VMREAD: exits(ExitReason.Vmread, anyone),
  VMRESUME: exits(ExitReason.Vmresume, anyone),
  VMWRITE: exits(ExitReason.Vmwrite, anyone),
  VMXOFF: exits(ExitReason.Vmxoff, anyone),
  VMXON: exits(ExitReason.Vmxon, anyone),
  INVEPT: exits(ExitReason.Invept, anyone),
  INVVPID: exits(ExitReason.Invvpid, anyone),
  VMFUNC: exits(ExitReason.Vmfunc, anyone),
  ENCLS: exits(ExitReason.Encls, supervisorOrUndefined),
  PCONFIG: exits(ExitReason.Pconfig, requireSupervisor),
  SEAMCALL: exits(ExitReason.Seamcall, anyone),
  TDCALL: exits(ExitReason.Tdcall, (cpu) => {
    if (!cpu.controls.tdcallExits) throw invalidOpcode();
    if (cpu.state.low(S.cpl) !== 0) throw generalProtection(0);
  }),
  // Safer mode, system management mode, and what only the module itself may execute.
  GETSEC: undefinedInstruction,
  RSM: undefinedInstruction,
  ENCLU: undefinedInstruction,
  ENCLV: undefinedInstruction,
  SEAMOPS: undefinedInstruction,
  SEAMRET: undefinedInstruction,
};
