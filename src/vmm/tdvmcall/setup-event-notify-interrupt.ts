/** SetupEventNotifyInterrupt: R12 = the vector that tells the calling vCPU of a finished request. */
import { Gpr, TdvmcallLeaf, TdvmcallStatus } from '../../abi/index.ts';
import type { Tdvmcall, TdvmcallRow } from './tdvmcall.ts';

export const setupEventNotifyInterrupt: TdvmcallRow = {
  leaf: TdvmcallLeaf.SETUP_EVENT_NOTIFY_INTERRUPT,
  section: 'TDG.VP.VMCALL<SetupEventNotifyInterrupt>',
  serve({ registers, vcpu, td }: Tdvmcall): TdvmcallStatus {
    const vector = registers.u64[Gpr.R12]!;
    if (vector < 32n || vector > 255n) return TdvmcallStatus.INVALID_OPERAND;
    vcpu.eventNotifyVector = Number(vector);
    td.notifyVcpu = vcpu;
    return TdvmcallStatus.SUCCESS;
  },
};
