/**
 * What TDG.SERVTD.RD and WR have in common: a service TD reaches into the metadata of a TD it is bound to. No host can bind one here
 * (TDH.SERVTD.BIND is not there), so every call ends at one of these checks. Source: TDX module 1.5 source, tdg_servtd_rd_wr.c.
 */
import { CompletionCode as Code, type CompletionCode, OperandId } from '../../abi/index.ts';
import { join64 } from '../../bits/index.ts';
import { PAGE_SIZE_BYTES } from '../../memory/index.ts';
import type { SeamCore } from '../core.ts';
import { PageType } from '../pamt.ts';
import { Lifecycle, OpState, TDCS_PAGES, type Td } from '../structures/td.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { leaveAsTrap } from '../td-exit/leave.ts';
import { R8, R10, RCX } from './guest-registers.ts';
import { lock } from './locks.ts';

const UUID_BYTES = 32;
const SLOT_MASK = 0xfffn;
const SLOTS = 1n;
const TDR_MASK = 0x000f_ffff_ffff_f000n;

/** The page that a TDR should be in: its TD, or undefined with `core.code` set. */
function targetOf(core: SeamCore, tdrHpa: number): Td | undefined {
  const td = core.tds.get(tdrHpa);
  if (!core.memory.isRam(tdrHpa, PAGE_SIZE_BYTES)) core.fail(Code.OPERAND_ADDR_RANGE_ERROR, OperandId.TDR);
  else if (core.pamt.typeOf(tdrHpa) !== PageType.TDR || td === undefined)
    core.fail(Code.PAGE_METADATA_INCORRECT, OperandId.TDR);
  else if (td.fatal) core.fail(Code.TD_FATAL);
  else if (td.lifecycle !== Lifecycle.KEYS_CONFIGURED) core.fail(Code.TD_KEYS_NOT_CONFIGURED);
  else if (td.tdcxPages < TDCS_PAGES) core.fail(Code.TDCS_NOT_ALLOCATED);
  else if (td.opState === OpState.UNINITIALIZED) core.fail(Code.OP_STATE_INCORRECT);
  else return td;
  return undefined;
}

/**
 * Looks for the TD that the binding handle in RCX means and checks that R10 to R13 are its TD_UUID. What is wrong with the other TD is
 * for the host to know: the TD exits, trap-like, with CROSS_TD_TRAP.
 */
export function reachTarget(core: SeamCore, vcpu: Vcpu): CompletionCode {
  const { state, memory } = vcpu.cpu;
  state.set(R8, 0, 0);
  const own = new DataView(vcpu.td.uuid.buffer, vcpu.td.uuid.byteOffset);
  const handle = BigInt.asUintN(64, join64(state.low(RCX), state.high(RCX)) - own.getBigUint64(0, true));
  if ((handle & SLOT_MASK) >= SLOTS) return core.fail(Code.OPERAND_INVALID, OperandId.RCX);
  const tdrHpa = Number(handle & TDR_MASK);
  const crossTdTrap = (): CompletionCode =>
    leaveAsTrap(core, vcpu, core.code, Code.CROSS_TD_TRAP, core.details, core.code, tdrHpa);
  const target = targetOf(core, tdrHpa);
  if (target === undefined) return crossTdTrap();
  if (!lock(core, OperandId.OP_STATE)) return core.code;
  const uuidAt = state.base + R10;
  const named = memory.u8.subarray(uuidAt, uuidAt + UUID_BYTES);
  if (named.some((byte, i) => byte !== target.uuid[i])) {
    if (named.some((byte) => byte !== 0)) return core.fail(Code.TARGET_UUID_MISMATCH);
    // the UUID that the TD had before it was imported, which no TD here was, is zero
    memory.u8.set(target.uuid, uuidAt);
    return core.fail(Code.TARGET_UUID_UPDATED);
  }
  core.fail(Code.SERVTD_NOT_BOUND, Number(handle & SLOT_MASK));
  return crossTdTrap();
}
