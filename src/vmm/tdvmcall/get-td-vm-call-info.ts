/** GetTdVmCallInfo: what this host serves. R12 = leaf; R11-R14 back. */
import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

/** Leaf 1, R11: sub-functions beyond the base set. */
const SETUP_EVENT_NOTIFY_INTERRUPT = 1n << 1n;

export const getTdVmCallInfo: TdvmcallRow = {
  leaf: TdvmcallLeaf.GET_TD_VM_CALL_INFO,
  section: 'TDG.VP.VMCALL<GetTdVmCallInfo>',
  serve({ registers }: Tdvmcall): TdvmcallStatus {
    const leaf = registers.u64[Gpr.R12]!;
    if (leaf > 1n) return TdvmcallStatus.INVALID_OPERAND;
    registers.u64[Gpr.R11] = leaf === 1n ? SETUP_EVENT_NOTIFY_INTERRUPT : 0n;
    registers.u64[Gpr.R12] = registers.u64[Gpr.R13] = registers.u64[Gpr.R14] = 0n;
    return TdvmcallStatus.SUCCESS;
  },
};
