import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { hostOf } from '../metadata/field-row.ts';
import { VP_TABLE } from '../metadata/vp.ts';
import { OpState } from '../structures/td.ts';
import { VcpuState } from '../structures/vcpu.ts';
import { FIELD_OUTPUTS, writeField } from './metadata-leaf.ts';
import { leafSource, type VcpuRow } from './row.ts';

/** Writes vCPU-scope metadata: asking for an NMI, in a production TD. */
export const tdhVpWr: VcpuRow = {
  scope: 'vcpu',
  leaf: TdhLeaf.VP_WR,
  name: 'TDH.VP.WR',
  operands: 'in: RCX = TDVPR HPA, RDX = field id, R8 = value, R9 = write mask; out: R8 = previous value',
  source: leafSource('TDH.VP.WR'),
  outputs: FIELD_OUTPUTS,
  tdvpr: Gpr.RCX,
  states: [OpState.INITIALIZED, OpState.RUNNABLE],
  run(core, registers, vcpu) {
    if (vcpu.state !== VcpuState.READY) {
      registers.zero(FIELD_OUTPUTS);
      return core.fail(CompletionCode.VCPU_STATE_INCORRECT);
    }
    vcpu.associate();
    const code = writeField(core, registers, VP_TABLE, vcpu, hostOf(vcpu.td));
    vcpu.cpu.modeChanged(); // a debugger may have written what chooses it
    return code;
  },
};
