import { CompletionCode as Code, type CompletionCode, OperandId, TdgLeaf } from '../../abi/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import { Accessor } from '../metadata/field-row.ts';
import { dumpList } from '../metadata/list.ts';
import { SYSTEM_TABLE } from '../metadata/sys.ts';
import { OPERAND_ILLEGAL, OPERAND_UNAVAILABLE, translateOperand } from '../td-exit/ept-violation.ts';
import { addressIn, R8, RDX } from './guest-registers.ts';
import type { TdcallRow } from './row.ts';

/** Writes all system-scope metadata that a guest may read into a page of its own. */
export const tdgSysRdall: TdcallRow = {
  leaf: TdgLeaf.SYS_RDALL,
  name: 'TDG.SYS.RDALL',
  maxVersion: 0,
  operands: 'in: RDX = private GPA of a 4 KiB page, R8 = field id to begin at or all ones; out: R8 = id to go on with',
  source: 'TDX Module 1.5 ABI Definition, "TDG.SYS.RDALL Leaf"',
  run(core, vcpu, configuration): CompletionCode {
    const { state } = vcpu.cpu;
    const [low, high] = [state.low(R8), state.high(R8)];
    // as in the module, before the page is looked up: a call that is made again after a TD exit begins at the first field
    state.set(R8, -1, -1);
    const gpa = addressIn(vcpu, RDX);
    if (gpa % PAGE_SIZE_BYTES !== 0) return core.fail(Code.OPERAND_INVALID, OperandId.RDX);
    const hpa = translateOperand(core, vcpu, configuration, gpa, false, true);
    if (hpa === OPERAND_ILLEGAL) return core.fail(Code.OPERAND_INVALID, OperandId.RDX);
    if (hpa === OPERAND_UNAVAILABLE) return core.code;
    const list = new DataView(core.memory.u8.buffer, hpa, PAGE_SIZE_BYTES);
    const { code, following } = dumpList(SYSTEM_TABLE, core.version, core, Accessor.GUEST, low, high, list);
    core.pageReplaced(hpa);
    state.setBig(R8, following);
    return core.fail(code);
  },
};
