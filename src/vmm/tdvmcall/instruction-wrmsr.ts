/** Instruction.WRMSR: an MSR the module leaves to the host. R12 = index, R13 = value. */
import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import { writeHostMsr } from '../msrs.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

export const instructionWrmsr: TdvmcallRow = {
  leaf: TdvmcallLeaf.INSTRUCTION_WRMSR,
  section: 'TDG.VP.VMCALL<Instruction.WRMSR>',
  serve({ registers, vcpu }: Tdvmcall): TdvmcallStatus {
    const index = registers.u64[Gpr.R12]!;
    const value = registers.u64[Gpr.R13]!;
    if (index > 0xffff_ffffn) return TdvmcallStatus.INVALID_OPERAND;
    const taken = vcpu.apic.write(Number(index), value) || writeHostMsr(Number(index));
    return taken ? TdvmcallStatus.SUCCESS : TdvmcallStatus.INVALID_OPERAND;
  },
};
