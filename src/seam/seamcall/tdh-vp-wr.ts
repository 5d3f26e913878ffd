import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { Accessor } from '../metadata/field-row.ts';
import { FieldValue } from '../metadata/field-table.ts';
import { VP_TABLE } from '../metadata/vp.ts';
import { OpState } from '../structures/td.ts';
import { VcpuState } from '../structures/vcpu.ts';
import { leafSource, type VcpuRow } from './row.ts';

const old = new FieldValue();

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
    const value = registers.u64[Gpr.R8]!;
    registers.set(Gpr.R8, 0, 0);
    if (vcpu.state === VcpuState.UNINITIALIZED) return core.fail(CompletionCode.VCPU_STATE_INCORRECT);
    const accessor = vcpu.td.isDebug ? Accessor.DEBUG_HOST : Accessor.HOST;
    const [low, high] = [registers.low(Gpr.RDX), registers.high(Gpr.RDX)];
    const code = VP_TABLE.write(core.version, vcpu, accessor, low, high, value, registers.u64[Gpr.R9]!, old);
    registers.set(Gpr.R8, old.low, old.high);
    return code === CompletionCode.SUCCESS ? code : core.fail(code);
  },
};
