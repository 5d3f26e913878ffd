import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { PageType } from '../pamt.ts';
import { OpState, TDVPS_PAGES_MAX } from '../structures/td.ts';
import { VcpuState } from '../structures/vcpu.ts';
import { leafSource, type VcpuRow } from './row.ts';

/** Adds a page for the vCPU's state. */
export const tdhVpAddcx: VcpuRow = {
  scope: 'vcpu',
  leaf: TdhLeaf.VP_ADDCX,
  name: 'TDH.VP.ADDCX',
  operands: 'in: RCX = TDCX page HPA, RDX = TDVPR HPA',
  source: leafSource('TDH.VP.ADDCX'),
  tdvpr: Gpr.RDX,
  states: [OpState.INITIALIZED],
  incomplete: true,
  run(core, registers, vcpu) {
    if (vcpu.state !== VcpuState.UNINITIALIZED) return core.fail(CompletionCode.VCPU_STATE_INCORRECT);
    if (vcpu.tdvpsPages >= TDVPS_PAGES_MAX) return core.fail(CompletionCode.TDCX_NUM_INCORRECT);
    const hpa = core.takePage(registers, Gpr.RCX, vcpu.td, PageType.TDCX);
    if (hpa < 0) return core.code;
    core.zeroPages(hpa, 1);
    vcpu.tdvpsPages++;
    return CompletionCode.SUCCESS;
  },
};
