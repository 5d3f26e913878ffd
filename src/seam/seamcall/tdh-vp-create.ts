import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { PageType } from '../pamt.ts';
import { OpState } from '../structures/td.ts';
import { Vcpu } from '../structures/vcpu.ts';
import { leafSource, type TdRow } from './row.ts';

/** Creates a vCPU root page. */
export const tdhVpCreate: TdRow = {
  scope: 'td',
  leaf: TdhLeaf.VP_CREATE,
  name: 'TDH.VP.CREATE',
  operands: 'in: RCX = TDVPR page HPA, RDX = TDR HPA',
  source: leafSource('TDH.VP.CREATE'),
  tdr: Gpr.RDX,
  states: [OpState.INITIALIZED],
  run(core, registers, td) {
    const tdvprHpa = core.takePage(registers, Gpr.RCX, td, PageType.TDVPR);
    if (tdvprHpa < 0) return core.code;
    core.zeroPages(tdvprHpa, 1);
    core.vcpus.set(tdvprHpa, new Vcpu(tdvprHpa, td));
    return CompletionCode.SUCCESS;
  },
};
