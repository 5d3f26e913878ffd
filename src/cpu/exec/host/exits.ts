/** Instructions that leave the guest, and what is checked before (SDM vol. 3, "Instructions That Cause VM Exits"). */
import type { Instruction } from '../../../isa/instruction.ts';
import { ExitReason } from '../../exit.ts';
import { Gpr } from '../../gpr.ts';
import type { Processor } from '../../processor.ts';
import { S } from '../../state.ts';
import type { Operation, OperationTable } from '../sem.ts';
import { invalidOpcode, requireSupervisor } from './operand.ts';

/** Exits with `reason` after `check`. */
function exits(reason: number, check?: (cpu: Processor, instruction: Instruction) => void): Operation {
  return {
    host: (cpu, instruction) => {
      check?.(cpu, instruction);
      throw cpu.exitFor(reason, instruction);
    },
    endsBlock: true,
  };
}

const vmx = exits(ExitReason.VmxInstruction);

function onlyWhereTdcallExists(cpu: Processor): void {
  if (!cpu.controls.tdcallExits) throw invalidOpcode();
  requireSupervisor(cpu);
}

function noExitWithoutModule(cpu: Processor): void {
  if (!cpu.controls.tdcallExits) throw invalidOpcode();
}

function readExtendedControl(cpu: Processor): void {
  const { state } = cpu;
  if (state.low(S.gpr + Gpr.Rcx * 8) !== 0) throw invalidOpcode();
  state.set(S.gpr + Gpr.Rax * 8, state.low(S.xcr0), 0);
  state.set(S.gpr + Gpr.Rdx * 8, state.high(S.xcr0), 0);
}

export const exitOperations: OperationTable = {
  CPUID: exits(ExitReason.Cpuid),
  HLT: exits(ExitReason.Hlt, requireSupervisor),
  INVD: exits(ExitReason.Invd, requireSupervisor),
  WBINVD: exits(ExitReason.Wbinvd, requireSupervisor),
  WBNOINVD: exits(ExitReason.Wbinvd, requireSupervisor),
  RDPMC: exits(ExitReason.Rdpmc),
  MONITOR: exits(ExitReason.Monitor, requireSupervisor),
  MWAIT: exits(ExitReason.Mwait, requireSupervisor),
  XSETBV: exits(ExitReason.Xsetbv, requireSupervisor),
  XGETBV: { host: readExtendedControl },
  VMCALL: exits(ExitReason.Vmcall),
  VMLAUNCH: vmx,
  VMRESUME: vmx,
  VMXON: vmx,
  VMXOFF: vmx,
  VMCLEAR: vmx,
  VMPTRLD: vmx,
  VMPTRST: vmx,
  VMREAD: vmx,
  VMWRITE: vmx,
  INVEPT: vmx,
  INVVPID: vmx,
  VMFUNC: exits(ExitReason.Vmfunc),
  GETSEC: exits(ExitReason.Getsec),
  RSM: exits(ExitReason.Rsm),
  ENCLS: exits(ExitReason.Encls, requireSupervisor),
  PCONFIG: exits(ExitReason.Pconfig, requireSupervisor),
  SEAMCALL: exits(ExitReason.Seamcall, noExitWithoutModule),
  TDCALL: exits(ExitReason.Tdcall, onlyWhereTdcallExists),
  SERIALIZE: { host: () => {} },
};
