import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { S } from '../../cpu/index.ts';
import { CrossingKind } from '../../probe/index.ts';
import { initializeProcessor } from '../structures/initial-state.ts';
import { OpState } from '../structures/td.ts';
import { VcpuState } from '../structures/vcpu.ts';
import { leafSource, type VcpuRow } from './row.ts';

/** Initialises a vCPU: its number, its registers, its execution controls. */
export const tdhVpInit: VcpuRow = {
  scope: 'vcpu',
  leaf: TdhLeaf.VP_INIT,
  name: 'TDH.VP.INIT',
  operands: 'in: RCX = TDVPR HPA, RDX = initial RCX and R8 of the guest',
  source: leafSource('TDH.VP.INIT'),
  tdvpr: Gpr.RCX,
  states: [OpState.INITIALIZED],
  run(core, registers, vcpu, configuration) {
    if (vcpu.state !== VcpuState.UNINITIALIZED) return core.fail(CompletionCode.VCPU_STATE_INCORRECT);
    const { td } = vcpu;
    if (td.vcpus.length >= configuration.params.maxVcpus) return core.fail(CompletionCode.MAX_VCPUS_EXCEEDED);
    vcpu.index = td.vcpus.length;
    td.vcpus.push(vcpu);
    vcpu.processor = core.createProcessor(core.processorsCreated++);
    core.firstProcessor ??= vcpu.processor;
    vcpu.processor.tscOffsetTicks = -td.tscOriginTicks;
    initializeProcessor(vcpu.processor, vcpu, configuration, registers.low(Gpr.RDX), registers.high(Gpr.RDX));
    const { state } = vcpu.processor;
    vcpu.processor.onInterrupt = (vector, instructions) =>
      core.observer.crossing(
        CrossingKind.InterruptTaken,
        vcpu.index,
        vector,
        instructions,
        0,
        state.low(S.rip),
        state.high(S.rip),
        state.gprs,
      );
    vcpu.state = VcpuState.READY;
    vcpu.associated = true;
    td.associatedVcpus++;
    return CompletionCode.SUCCESS;
  },
};
