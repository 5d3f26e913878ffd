/** SEAMCALL. Source: TDX Module 1.5 ABI Definition, "SEAMCALL Instruction (Common)". */
import {
  CompletionCode as Code,
  type CompletionCode,
  type Gpr,
  OperandId,
  Gpr as Register,
  type RegisterFile,
  TdhLeaf,
} from '../../abi/index.ts';
import { CrossingKind } from '../../probe/index.ts';
import { type SeamCore, SysState } from '../core.ts';
import { PageType } from '../pamt.ts';
import { Lifecycle, type OpState, TDCS_PAGES, type Td } from '../structures/td.ts';
import { SEAMCALL_ROWS } from './index.ts';
import type { SeamcallRow } from './row.ts';

const BY_LEAF: (SeamcallRow | undefined)[] = [];
for (const row of SEAMCALL_ROWS) BY_LEAF[row.leaf] = row;

/** Leaf and version are RAX 23:0; no leaf here has a version above 0. */
const LEAF_MASK = 0xffff;

export function seamcall(core: SeamCore, registers: RegisterFile): void {
  const low = registers.low(Register.RAX);
  const row = low > LEAF_MASK || registers.high(Register.RAX) !== 0 ? undefined : BY_LEAF[low];
  core.details = 0;
  const operand = registers.u32[Register.RCX * 2]! | 0;
  if (core.observesEntries)
    core.observer.crossing(CrossingKind.HostCallEntry, -1, low, operand, 0, 0, 0, registers.u32);
  const code = row === undefined ? core.fail(Code.OPERAND_INVALID, OperandId.RAX) : run(core, registers, row);
  registers.set(Register.RAX, core.details, code);
  if (low !== TdhLeaf.VP_ENTER)
    core.observer.crossing(CrossingKind.HostCall, -1, low, operand, code | 0, 0, 0, registers.u32);
}

function run(core: SeamCore, registers: RegisterFile, row: SeamcallRow): CompletionCode {
  if (core.sysState !== SysState.READY && !(row.scope === 'system' && row.beforeReady === true))
    return core.fail(Code.SYS_NOT_READY);
  switch (row.scope) {
    case 'system':
      return row.run(core, registers);
    case 'key': {
      const td = tdOf(core, registers, row.tdr);
      return td === undefined ? core.code : row.run(core, registers, td);
    }
    case 'build': {
      const td = tdOf(core, registers, row.tdr);
      return td === undefined || !hasControlStructure(core, td) ? core.code : row.run(core, registers, td);
    }
    case 'td': {
      const td = tdOf(core, registers, row.tdr);
      if (td === undefined || !hasControlStructure(core, td) || !isInState(core, td, row.states)) return core.code;
      return row.run(core, registers, td, td.configuration!);
    }
    case 'vcpu': {
      const hpa = core.pageOperand(registers, row.tdvpr, PageType.TDVPR);
      if (hpa < 0) return core.code;
      const vcpu = core.vcpus.get(hpa)!;
      if (!hasControlStructure(core, vcpu.td) || !isInState(core, vcpu.td, row.states)) return core.code;
      return row.run(core, registers, vcpu, vcpu.td.configuration!);
    }
  }
}

function tdOf(core: SeamCore, registers: RegisterFile, register: Gpr): Td | undefined {
  const hpa = core.pageOperand(registers, register, PageType.TDR);
  return hpa < 0 ? undefined : core.tds.get(hpa);
}

/** Order as in the module: fatal, key, pages of the TDCS. */
function hasControlStructure(core: SeamCore, td: Td): boolean {
  if (td.fatal) core.fail(Code.TD_FATAL);
  else if (td.lifecycle !== Lifecycle.KEYS_CONFIGURED) core.fail(Code.TD_KEYS_NOT_CONFIGURED);
  else if (td.tdcxPages < TDCS_PAGES) core.fail(Code.TDCS_NOT_ALLOCATED);
  else return true;
  return false;
}

function isInState(core: SeamCore, td: Td, states: readonly OpState[]): boolean {
  if (states.includes(td.opState)) return true;
  core.fail(Code.OP_STATE_INCORRECT);
  return false;
}
