/** Instruction.WRMSR: an MSR the module leaves to the host. R12 = index, R13 = value. */
import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

export const instructionWrmsr: TdvmcallRow = {
  leaf: TdvmcallLeaf.INSTRUCTION_WRMSR,
  section: 'TDG.VP.VMCALL<Instruction.WRMSR>',
  serve({ registers, vcpu, td }: Tdvmcall): TdvmcallStatus {
    if (registers.high(Gpr.R12) !== 0 && !td.profile.cutsWideOperands) return TdvmcallStatus.INVALID_OPERAND;
    const index = registers.low(Gpr.R12);
    const value = registers.u64[Gpr.R13]!;
    const taken = vcpu.apic.write(index, value) || vcpu.msrs.write(index, value);
    return taken ? TdvmcallStatus.SUCCESS : TdvmcallStatus.INVALID_OPERAND;
  },
};
