/** SEAMCALL. Source: TDX Module 1.5 ABI Definition, "SEAMCALL Instruction (Common)". */
import {
  CompletionCode as Code,
  type CompletionCode,
  type Gpr,
  isModule20,
  OperandId,
  PageLevel,
  Gpr as Register,
  type RegisterFile,
  TdhLeaf,
} from '../../abi/index.ts';
import { CrossingKind } from '../../probe/index.ts';
import { type HandleFlags, type SeamCore, SysState } from '../core.ts';
import { PageType } from '../pamt.ts';
import { Lifecycle, type OpState, TDCS_PAGES, TDVPS_PAGES, type Td } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { SEAMCALL_ROWS } from './index.ts';
import type { SeamcallRow, VcpuRow } from './row.ts';

const BY_LEAF: (SeamcallRow | undefined)[] = [];
for (const row of SEAMCALL_ROWS) BY_LEAF[row.leaf] = row;

const LEAF_MASK = 0xffff;
const VERSION_SHIFT = 16;

export function seamcall(core: SeamCore, registers: RegisterFile): void {
  const leaf = registers.low(Register.RAX) & LEAF_MASK;
  const row = rowOf(core, registers);
  core.details = 0;
  const operand = registers.number(Register.RCX);
  if (core.observesEntries)
    core.observer.crossing(CrossingKind.HostCallEntry, -1, leaf, operand, 0, 0, 0, registers.u32);
  const code = row === undefined ? core.fail(Code.OPERAND_INVALID, OperandId.RAX) : run(core, registers, row);
  registers.set(Register.RAX, core.details, code);
  if (leaf !== TdhLeaf.VP_ENTER)
    core.observer.crossing(CrossingKind.HostCall, -1, leaf, operand, code | 0, 0, 0, registers.u32);
}

/** RAX: leaf 15:0, version 23:16, the rest 0. */
function rowOf(core: SeamCore, registers: RegisterFile): SeamcallRow | undefined {
  const low = registers.low(Register.RAX);
  const version = low >>> VERSION_SHIFT;
  const row = BY_LEAF[low & LEAF_MASK];
  const highest = (isModule20(core.version) ? row?.maxVersion20 : undefined) ?? row?.maxVersion ?? 0;
  return registers.high(Register.RAX) !== 0 || version > highest ? undefined : row;
}

function run(core: SeamCore, registers: RegisterFile, row: SeamcallRow): CompletionCode {
  if (core.sysState !== SysState.READY && !(row.scope === 'system' && row.beforeReady === true))
    return core.fail(Code.SYS_NOT_READY);
  if (row.scope === 'system') return row.run(core, registers);
  if (row.scope === 'vcpu') {
    const vcpu = vcpuOf(core, registers, row);
    if (vcpu !== undefined) return row.run(core, registers, vcpu, vcpu.td.configuration!);
  } else {
    const td = tdOf(core, registers, row.tdr, row.scope === 'td' ? row.handleFlags : undefined);
    if (td !== undefined) {
      if (row.scope === 'key') return row.run(core, registers, td);
      if (hasControlStructure(core, td)) {
        if (row.scope === 'build') return row.run(core, registers, td);
        if (isInState(core, td, row.states)) return row.run(core, registers, td, td.configuration!);
      }
    }
  }
  if (row.outputs !== undefined) registers.zero(row.outputs);
  return core.code;
}

function vcpuOf(core: SeamCore, registers: RegisterFile, row: VcpuRow): Vcpu | undefined {
  const hpa = core.pageOperand(registers, row.tdvpr, PageType.TDVPR, PageLevel.PAGE_4K, row.handleFlags);
  const vcpu = core.vcpus.get(hpa);
  if (vcpu === undefined || !hasControlStructure(core, vcpu.td) || !isInState(core, vcpu.td, row.states))
    return undefined;
  if (row.incomplete === true || vcpu.tdvpsPages >= TDVPS_PAGES) return vcpu;
  core.fail(Code.TDCX_NUM_INCORRECT);
  return undefined;
}

function tdOf(core: SeamCore, registers: RegisterFile, register: Gpr, flags?: HandleFlags): Td | undefined {
  return core.tds.get(core.pageOperand(registers, register, PageType.TDR, PageLevel.PAGE_4K, flags));
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
