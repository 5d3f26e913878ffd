import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { OpState } from '../structures/td.ts';
import { leafSource, type VcpuRow } from './row.ts';

/** Takes the vCPU off its logical processor. */
export const tdhVpFlush: VcpuRow = {
  scope: 'vcpu',
  leaf: TdhLeaf.VP_FLUSH,
  name: 'TDH.VP.FLUSH',
  operands: 'in: RCX = TDVPR HPA',
  source: leafSource('TDH.VP.FLUSH'),
  tdvpr: Gpr.RCX,
  whenFatal: true,
  states: [OpState.UNINITIALIZED, OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, _registers, vcpu) {
    if (!vcpu.associated) return core.fail(CompletionCode.VCPU_NOT_ASSOCIATED);
    vcpu.associated = false;
    vcpu.td.associatedVcpus--;
    return CompletionCode.SUCCESS;
  },
};
