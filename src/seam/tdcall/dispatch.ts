/** TDCALL. Source: TDX Module 1.5 ABI Definition, "TDCALL Instruction (Common)". */
import { CompletionCode as Code, type CompletionCode, isModule20, OperandId } from '../../abi/index.ts';
import { ofOneShape } from '../../bits/index.ts';
import { type ExitRecord, S } from '../../cpu/index.ts';
import { CrossingKind } from '../../probe/index.ts';
import type { SeamCore } from '../core.ts';
import { injectException, Vector } from '../inject.ts';
import type { TdConfiguration } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { leaveAsTrap } from '../td-exit/leave.ts';
import { STAY } from '../td-exit/outcome.ts';
import { RAX, RCX } from './guest-registers.ts';
import { TDCALL_ROWS } from './index.ts';
import { hostGaveLock, hostKeepsLock } from './locks.ts';
import type { TdcallRow } from './row.ts';

const CS_RIGHTS = S.segmentRights + 4;
const RIGHTS_L = 1 << 13;
const EFER_LMA = 1 << 10;

const BY_LEAF: (TdcallRow | undefined)[] = [];
for (const row of ofOneShape(TDCALL_ROWS)) BY_LEAF[row.leaf] = row;

function highestVersion({ version }: SeamCore, { maxVersion, maxVersion20 }: TdcallRow): number {
  return isModule20(version) ? (maxVersion20 ?? maxVersion) : maxVersion;
}

export function handleTdcall(
  core: SeamCore,
  vcpu: Vcpu,
  exit: ExitRecord,
  configuration: TdConfiguration,
): CompletionCode {
  const { cpu } = vcpu;
  const { state } = cpu;
  if ((state.low(CS_RIGHTS) & RIGHTS_L) === 0 || (state.low(S.efer) & EFER_LMA) === 0) {
    injectException(core, vcpu, Vector.GP, 0, exit.reason);
    return STAY;
  }
  const low = state.low(RAX);
  const leaf = low & 0xffff;
  const version = (low >>> 16) & 0xff;
  const ripLow = state.low(S.rip);
  const ripHigh = state.high(S.rip);
  const operand = state.low(RCX);
  const row = low >>> 24 === 0 && state.high(RAX) === 0 ? BY_LEAF[leaf] : undefined;

  core.details = 0;
  core.leaving = false;
  const { instructionLength } = exit;
  if (core.observesEntries)
    core.observer.crossing(CrossingKind.ModuleCallEntry, vcpu.index, leaf, operand, 0, ripLow, ripHigh, state.gprs);
  let code =
    row === undefined || (version > 0 && version > highestVersion(core, row))
      ? core.fail(Code.OPERAND_INVALID, OperandId.RAX)
      : row.run(core, vcpu, configuration, version);
  if (core.leaving || code === STAY) return code;
  if (code === Code.OPERAND_BUSY_HOST_PRIORITY) {
    code = Code.OPERAND_BUSY;
    if (hostKeepsLock(core, vcpu)) return leaveAsTrap(core, vcpu, code, Code.HOST_PRIORITY_BUSY_TIMEOUT, 0, 0, 0);
  } else hostGaveLock(vcpu);
  state.set(RAX, core.details, code);
  core.observer.crossing(CrossingKind.ModuleCall, vcpu.index, leaf, operand, code | 0, ripLow, ripHigh, state.gprs);
  cpu.skipInstruction(instructionLength);
  return STAY;
}
