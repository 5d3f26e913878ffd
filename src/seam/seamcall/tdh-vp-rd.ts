import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { hostOf } from '../metadata/field-row.ts';
import { VP_TABLE } from '../metadata/vp.ts';
import { OpState } from '../structures/td.ts';
import { VcpuState } from '../structures/vcpu.ts';
import { FIELD_OUTPUTS, readField } from './metadata-leaf.ts';
import { leafSource, type VcpuRow } from './row.ts';
import { versionOf } from './version.ts';

/** Reads vCPU-scope metadata, also of a vCPU that can never be entered again. */
export const tdhVpRd: VcpuRow = {
  scope: 'vcpu',
  leaf: TdhLeaf.VP_RD,
  name: 'TDH.VP.RD',
  operands: 'in: RCX = TDVPR HPA, RDX = field id; out: R8 = value, version 1: RDX = next field id or all ones',
  source: leafSource('TDH.VP.RD'),
  maxVersion: 1,
  outputs: FIELD_OUTPUTS,
  tdvpr: Gpr.RCX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, vcpu) {
    if (vcpu.state === VcpuState.UNINITIALIZED) {
      registers.zero(FIELD_OUTPUTS);
      return core.fail(CompletionCode.VCPU_STATE_INCORRECT);
    }
    vcpu.associate();
    return readField(core, registers, VP_TABLE, vcpu, hostOf(vcpu.td), versionOf(registers) > 0);
  },
};
