/** Instruction.CPUID: the leaves the module leaves to the host. R12 = EAX, R13 = ECX; back in R12-R15. */
import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import { answerCpuid } from '../cpuid.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

export const instructionCpuid: TdvmcallRow = {
  leaf: TdvmcallLeaf.INSTRUCTION_CPUID,
  section: 'TDG.VP.VMCALL<Instruction.CPUID>',
  serve({ registers, vcpu, td }: Tdvmcall): TdvmcallStatus {
    const [leaf, subleaf] = [registers.low(Gpr.R12), registers.low(Gpr.R13)];
    const value = answerCpuid(td.profile.cpuid, leaf, subleaf, vcpu.apic.apicId, td.vcpus.length);
    registers.set(Gpr.R12, value.eax, 0);
    registers.set(Gpr.R13, value.ebx, 0);
    registers.set(Gpr.R14, value.ecx, 0);
    registers.set(Gpr.R15, value.edx, 0);
    return TdvmcallStatus.SUCCESS;
  },
};
