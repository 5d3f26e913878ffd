/** SEAMCALL. Source: TDX Module 1.5 ABI Definition, "SEAMCALL Instruction (Common)". */
import {
  CompletionCode as Code,
  type CompletionCode,
  isModule20,
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

const BY_LEAF: (SeamcallRow | undefined)[] = [];
for (const row of ofOneShape(SEAMCALL_ROWS)) BY_LEAF[row.leaf] = row;

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
  if (core.sysState === SysState.SHUTDOWN && row.leaf !== TdhLeaf.SYS_LP_SHUTDOWN) return core.fail(Code.SYS_SHUTDOWN);
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
  if (vcpu === undefined || !hasControlStructure(core, vcpu.td, row.whenFatal) || !isInState(core, vcpu.td, row.states))
    return undefined;
  if (row.incomplete === true || vcpu.tdvpsPages >= TDVPS_PAGES) return vcpu;
  core.fail(Code.TDCX_NUM_INCORRECT);
  return undefined;
}
