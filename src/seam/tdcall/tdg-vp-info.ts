import { CompletionCode as Code, type CompletionCode, TdgLeaf } from '../../abi/index.ts';
import { R8, R9, R10, R11, RCX, RDX } from './guest-registers.ts';
import type { TdcallRow } from './row.ts';

/** R10 bit 0: TDG.SYS.RD and TDG.SYS.RDALL are there. */
const SYS_RD = 1;

/** Tells the guest what it is. Never fails. */
export const tdgVpInfo: TdcallRow = {
  leaf: TdgLeaf.VP_INFO,
  name: 'TDG.VP.INFO',
  maxVersion: 0,
  operands:
    'out: RCX = GPAW, RDX = ATTRIBUTES, R8 = NUM_VCPUS 31:0, MAX_VCPUS 63:32, R9 = vCPU index, R10 = 1, R11 = 0',
  source: 'TDX Module 1.5 ABI Definition, "TDG.VP.INFO Leaf"',
  run(_core, vcpu, { gpaw, params }): CompletionCode {
    const { state } = vcpu.cpu;
    state.set(RCX, gpaw, 0);
    state.setBig(RDX, params.attributes);
    state.set(R8, vcpu.td.vcpus.length, params.maxVcpus);
    state.set(R9, vcpu.index, 0);
    state.set(R10, SYS_RD, 0);
    state.set(R11, 0, 0);
    return Code.SUCCESS;
  },
};
