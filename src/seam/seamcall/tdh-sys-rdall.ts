import { CompletionCode, Gpr, TdhLeaf } from '../../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import { Accessor } from '../metadata/field-row.ts';
import { dumpList } from '../metadata/list.ts';
import { SYSTEM_TABLE } from '../metadata/sys.ts';
import { leafSource, type SystemRow } from './row.ts';

/** Writes all system-scope metadata into a page of the host. */
export const tdhSysRdall: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SYS_RDALL,
  name: 'TDH.SYS.RDALL',
  operands: 'in: RDX = HPA of a 4 KiB page, R8 = field id to begin at or all ones; out: R8 = id to go on with',
  source: leafSource('TDH.SYS.RDALL'),
  beforeReady: true,
  run(core, registers) {
    const [low, high] = [registers.low(Gpr.R8), registers.high(Gpr.R8)];
    registers.set(Gpr.R8, -1, -1);
    if (!core.processorInitialised) return core.fail(CompletionCode.SYS_LP_INIT_NOT_DONE);
    const hpa = core.sharedOperand(registers, Gpr.RDX, PAGE_SIZE_BYTES, PAGE_SIZE_BYTES);
    if (hpa < 0) return core.code;
    const list = new DataView(core.memory.u8.buffer, hpa, PAGE_SIZE_BYTES);
    const { code, following } = dumpList(SYSTEM_TABLE, core.version, core, Accessor.HOST, low, high, list);
    core.pageReplaced(hpa);
    registers.u64[Gpr.R8] = following;
    return core.fail(code);
  },
};
