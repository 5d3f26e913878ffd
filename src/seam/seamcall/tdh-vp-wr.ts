import { CompletionCode, Gpr, OperandId, TdhLeaf } from '../../abi/index.ts';
import { findVpField } from '../metadata/vp.ts';
import { OpState } from '../structures/td.ts';
import { VcpuState } from '../structures/vcpu.ts';
import { leafSource, type VcpuRow } from './row.ts';

/** Writes vCPU-scope metadata: asking for an NMI, in a production TD. */
export const tdhVpWr: VcpuRow = {
  scope: 'vcpu',
  leaf: TdhLeaf.VP_WR,
  name: 'TDH.VP.WR',
  operands: 'in: RCX = TDVPR HPA, RDX = field id, R8 = value, R9 = write mask; out: R8 = previous value',
  source: leafSource('TDH.VP.WR'),
  tdvpr: Gpr.RCX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, vcpu) {
    if (vcpu.state === VcpuState.UNINITIALIZED) return core.fail(CompletionCode.VCPU_STATE_INCORRECT);
    const row = findVpField(registers.low(Gpr.RDX), registers.high(Gpr.RDX));
    if (row === undefined) return core.fail(CompletionCode.METADATA_FIELD_ID_INCORRECT, OperandId.RDX);
    if (row.write === undefined) return core.fail(CompletionCode.METADATA_FIELD_NOT_WRITABLE, OperandId.RDX);
    const value = registers.u64[Gpr.R8]!;
    const mask = registers.u64[Gpr.R9]!;
    row.read(vcpu, registers);
    row.write(vcpu, (registers.u64[Gpr.R8]! & ~mask) | (value & mask));
    return CompletionCode.SUCCESS;
  },
};
