/** GetTdVmCallInfo: what this host serves. R12 = leaf; R11-R14 back. */
import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

/** Leaf 0: the base set. Leaf 1: the sub-functions beyond it. */
export const getTdVmCallInfo: TdvmcallRow = {
  leaf: TdvmcallLeaf.GET_TD_VM_CALL_INFO,
  section: 'TDG.VP.VMCALL<GetTdVmCallInfo>',
  serve({ registers, td }: Tdvmcall): TdvmcallStatus {
    const leaf = registers.number(Gpr.R12);
    const beyond = leaf === 1 ? td.profile.callInfo : undefined;
    if (leaf !== 0 && beyond === undefined) return TdvmcallStatus.INVALID_OPERAND;
    registers.u64[Gpr.R11] = beyond?.r11 ?? 0n;
    registers.u64[Gpr.R12] = beyond?.r12 ?? 0n;
    registers.u64[Gpr.R13] = registers.u64[Gpr.R14] = 0n;
    return TdvmcallStatus.SUCCESS;
  },
};
