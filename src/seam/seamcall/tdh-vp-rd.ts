import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { findVpField } from '../metadata/vp.ts';
import { OpState } from '../structures/td.ts';
import { VcpuState } from '../structures/vcpu.ts';
import { leafSource, type VcpuRow } from './row.ts';

/** Reads vCPU-scope metadata. */
export const tdhVpRd: VcpuRow = {
  scope: 'vcpu',
  leaf: TdhLeaf.VP_RD,
  name: 'TDH.VP.RD',
  operands: 'in: RCX = TDVPR HPA, RDX = field id; out: R8 = value',
  source: leafSource('TDH.VP.RD'),
  tdvpr: Gpr.RCX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, vcpu) {
    const row = findVpField(registers.low(Gpr.RDX), registers.high(Gpr.RDX));
    registers.set(Gpr.R8, 0, 0);
    if (vcpu.state === VcpuState.UNINITIALIZED) return core.fail(CompletionCode.VCPU_STATE_INCORRECT);
    if (row === undefined) return core.fail(CompletionCode.METADATA_FIELD_ID_INCORRECT, OperandId.RDX);
    if (!row.hostReadable && !vcpu.td.isDebug)
      return core.fail(CompletionCode.METADATA_FIELD_NOT_READABLE, OperandId.RDX);
    row.read(vcpu, registers);
    return CompletionCode.SUCCESS;
  },
};
