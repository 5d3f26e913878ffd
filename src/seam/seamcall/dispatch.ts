/** SEAMCALL. Source: TDX Module 1.5 ABI Definition, "SEAMCALL Instruction (Common)". */
import {
  CompletionCode as Code,
  type CompletionCode,
  isModule20,
  type ModuleVersion,
  OperandId,
  PageLevel,
  Gpr as Register,
  type RegisterFile,
  TdhLeaf,
} from '../../abi/index.ts';
import { ofOneShape } from '../../bits/index.ts';
import { CrossingKind } from '../../probe/index.ts';
import { type SeamCore, SysState } from '../core.ts';
import { PageType } from '../pamt.ts';
import { TDVPS_PAGES } from '../structures/td.ts';
import { hasControlStructure, isInState } from '../structures/td-state.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { SEAMCALL_ROWS } from './index.ts';
import type { SeamcallRow, VcpuRow } from './row.ts';
import { tdOf } from './td-operand.ts';

const BY_LEAF = new Array<SeamcallRow | undefined>(1 + Math.max(...SEAMCALL_ROWS.map(({ leaf }) => leaf))).fill(
  undefined,
);
for (const row of ofOneShape(SEAMCALL_ROWS)) BY_LEAF[row.leaf] = row;

const LEAF_MASK = 0xffff;
const VERSION_SHIFT = 16;

export function seamcall(core: SeamCore, registers: RegisterFile): void {
  const rax = registers.low(Register.RAX);
  const leaf = rax & LEAF_MASK;
  const row = BY_LEAF[leaf];
  core.details = 0;
  const operand = registers.number(Register.RCX);
  if (core.observesEntries)
    core.observer.crossing(CrossingKind.HostCallEntry, -1, leaf, operand, 0, 0, 0, registers.i32);
  const isKnown = row !== undefined && (rax === leaf || hasVersion(row, rax >>> VERSION_SHIFT, core.version));
  const code =
    isKnown && registers.high(Register.RAX) === 0
      ? run(core, registers, row)
      : core.fail(Code.OPERAND_INVALID, OperandId.RAX);
  registers.set(Register.RAX, core.details, code);
  if (leaf !== TdhLeaf.VP_ENTER)
    core.observer.crossing(CrossingKind.HostCall, -1, leaf, operand, code | 0, 0, 0, registers.i32);
}

/** RAX: leaf 15:0, version 23:16, the rest 0. */
function hasVersion({ maxVersion, maxVersion20 }: SeamcallRow, version: number, module: ModuleVersion): boolean {
  return version <= ((isModule20(module) ? maxVersion20 : undefined) ?? maxVersion ?? 0);
}

function run(core: SeamCore, registers: RegisterFile, row: SeamcallRow): CompletionCode {
  if (core.sysState !== SysState.READY && !isServedEarly(core, row)) return core.code;
  switch (row.scope) {
    case 'td': {
      const td = tdOf(core, registers, row.tdr, row.handleFlags);
      if (td !== undefined && hasControlStructure(core, td) && isInState(core, td, row.states))
        return row.run(core, registers, td, td.configuration!);
      break;
    }
    case 'vcpu': {
      const vcpu = vcpuOf(core, registers, row);
      if (vcpu !== undefined) return row.run(core, registers, vcpu, vcpu.td.configuration!);
      break;
    }
    case 'build': {
      const td = tdOf(core, registers, row.tdr);
      if (td !== undefined && hasControlStructure(core, td)) return row.run(core, registers, td);
      break;
    }
    case 'key': {
      const td = tdOf(core, registers, row.tdr);
      if (td !== undefined) return row.run(core, registers, td);
      break;
    }
    case 'system':
      return row.run(core, registers);
  }
  if (row.outputs !== undefined) registers.zero(row.outputs);
  return core.code;
}

/** May the leaf be called while the module is not ready? False: `core.code` says why not. */
function isServedEarly(core: SeamCore, row: SeamcallRow): boolean {
  if (core.sysState === SysState.SHUTDOWN && row.leaf !== TdhLeaf.SYS_LP_SHUTDOWN) core.fail(Code.SYS_SHUTDOWN);
  else if (row.scope !== 'system' || row.beforeReady !== true) core.fail(Code.SYS_NOT_READY);
  else return true;
  return false;
}

function vcpuOf(core: SeamCore, registers: RegisterFile, row: VcpuRow): Vcpu | undefined {
  const vcpu =
    core.vcpus.get(registers.number(row.tdvpr)) ?? // as in tdOf
    core.vcpus.get(core.pageOperand(registers, row.tdvpr, PageType.TDVPR, PageLevel.PAGE_4K, row.handleFlags));
  if (vcpu === undefined || !hasControlStructure(core, vcpu.td, row.whenFatal) || !isInState(core, vcpu.td, row.states))
    return undefined;
  if (row.incomplete === true || vcpu.tdvpsPages >= TDVPS_PAGES) return vcpu;
  core.fail(Code.TDCX_NUM_INCORRECT);
  return undefined;
}
