/** Instruction.RDMSR: an MSR the module leaves to the host. R12 = index; value in R11. */
import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import { readHostMsr } from '../msrs.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

export const instructionRdmsr: TdvmcallRow = {
  leaf: TdvmcallLeaf.INSTRUCTION_RDMSR,
  section: 'TDG.VP.VMCALL<Instruction.RDMSR>',
  serve({ registers, vcpu }: Tdvmcall): TdvmcallStatus {
    const index = registers.u64[Gpr.R12]!;
    const value = index > 0xffff_ffffn ? undefined : (vcpu.apic.read(Number(index)) ?? readHostMsr(Number(index)));
    if (value === undefined) return TdvmcallStatus.INVALID_OPERAND;
    registers.u64[Gpr.R11] = value;
    return TdvmcallStatus.SUCCESS;
  },
};
