/** Instruction.RDMSR: an MSR the module leaves to the host. R12 = index; value in R11. */
import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

export const instructionRdmsr: TdvmcallRow = {
  leaf: TdvmcallLeaf.INSTRUCTION_RDMSR,
  section: 'TDG.VP.VMCALL<Instruction.RDMSR>',
  serve({ registers, vcpu, td }: Tdvmcall): TdvmcallStatus {
    if (registers.high(Gpr.R12) !== 0 && !td.profile.cutsWideOperands) return TdvmcallStatus.INVALID_OPERAND;
    const index = registers.low(Gpr.R12);
    const value = vcpu.apic.read(index) ?? vcpu.msrs.read(index);
    if (value === undefined) return TdvmcallStatus.INVALID_OPERAND;
    registers.u64[Gpr.R11] = value;
    return TdvmcallStatus.SUCCESS;
  },
};
