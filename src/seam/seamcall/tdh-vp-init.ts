import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { S } from '../../cpu/index.ts';
import { CrossingKind } from '../../probe/index.ts';
import type { SeamCore } from '../core.ts';
import { initializeProcessor } from '../structures/initial-state.ts';
import { OpState, type TdConfiguration } from '../structures/td.ts';
import { type Vcpu, VcpuState } from '../structures/vcpu.ts';
import { leafSource, type VcpuRow } from './row.ts';
import { versionOf } from './version.ts';

/** Initialises a vCPU: its number, its registers, its execution controls. */
export const tdhVpInit: VcpuRow = {
  scope: 'vcpu',
  leaf: TdhLeaf.VP_INIT,
  name: 'TDH.VP.INIT',
  maxVersion20: 1,
  operands:
    'in: RCX = TDVPR HPA, RDX = initial RCX and R8 of the guest; version 1 (2.0): R8 = x2APIC id, for virtual topology',
  source: leafSource('TDH.VP.INIT'),
  tdvpr: Gpr.RCX,
  states: [OpState.INITIALIZED],
  run(core, registers, vcpu, configuration) {
    if (vcpu.state !== VcpuState.UNINITIALIZED) return core.fail(CompletionCode.VCPU_STATE_INCORRECT);
    const { td } = vcpu;
    if (td.vcpus.length >= configuration.params.maxVcpus) return core.fail(CompletionCode.MAX_VCPUS_EXCEEDED);
    if (versionOf(registers) > 0) {
      if (registers.high(Gpr.R8) !== 0) return core.fail(CompletionCode.OPERAND_INVALID, OperandId.R8);
      const id = registers.low(Gpr.R8) >>> 0;
      if (td.vcpus.some((other) => other.x2ApicId === id)) return core.fail(CompletionCode.X2APIC_ID_NOT_UNIQUE, id);
      vcpu.x2ApicId = id;
    } else td.controls.topologyConfigured = false;
    giveProcessor(core, vcpu, configuration, registers.low(Gpr.RDX), registers.high(Gpr.RDX));
    vcpu.state = VcpuState.READY;
    vcpu.associate();
    return CompletionCode.SUCCESS;
  },
};

/** The next number of its TD, and a fresh logical processor in the state that a TD's vCPU starts in. */
export function giveProcessor(
  core: SeamCore,
  vcpu: Vcpu,
  configuration: TdConfiguration,
  rcxLow: number,
  rcxHigh: number,
): void {
  const { td } = vcpu;
  vcpu.index = td.vcpus.length;
  td.vcpus.push(vcpu);
  const processor = core.createProcessor(core.processorsCreated++);
  vcpu.processor = processor;
  core.firstProcessor ??= processor;
  processor.tscOffsetTicks = -td.tscOriginTicks;
  initializeProcessor(processor, vcpu, configuration, rcxLow, rcxHigh);
  const { state } = processor;
  processor.onInterrupt = (vector, instructions) =>
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
}
