import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { Accessor } from '../metadata/field-row.ts';
import { FieldValue } from '../metadata/field-table.ts';
import { VP_TABLE } from '../metadata/vp.ts';
import { OpState } from '../structures/td.ts';
import { VcpuState } from '../structures/vcpu.ts';
import { leafSource, type VcpuRow } from './row.ts';

const value = new FieldValue();

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
    registers.set(Gpr.R8, 0, 0);
    if (vcpu.state === VcpuState.UNINITIALIZED) return core.fail(CompletionCode.VCPU_STATE_INCORRECT);
    const accessor = vcpu.td.isDebug ? Accessor.DEBUG_HOST : Accessor.HOST;
    const [low, high] = [registers.low(Gpr.RDX), registers.high(Gpr.RDX)];
    const code = VP_TABLE.read(core.version, vcpu, accessor, low, high, value);
    registers.set(Gpr.R8, value.low, value.high);
    return code === CompletionCode.SUCCESS ? code : core.fail(code);
  },
};
