/**
 * What TDG.SERVTD.RD and WR have in common: a service TD reaches into the metadata of a TD it is bound to. Source: TDX module 1.5
 * source, tdg_servtd_rd_wr.c.
 */
import { CompletionCode as Code, type CompletionCode, OperandId } from '../../abi/index.ts';
import { bytesEqual, join64 } from '../../bits/index.ts';
import type { SeamCore } from '../core.ts';
import { PageType } from '../pamt.ts';
import { tdInfoHash } from '../report/tdreport.ts';
import { BindingState, IGNORE_TDINFO_SHIFT, SERVICE_TD_SLOTS } from '../structures/service-td.ts';
import type { Td } from '../structures/td.ts';
import { hasControlStructure } from '../structures/td-state.ts';
import type { Vcpu } from '../structures/vcpu.ts';
import { leaveAsTrap } from '../td-exit/leave.ts';
import { R8, R10, RCX } from './guest-registers.ts';
import { lock } from './locks.ts';

const UUID_BYTES = 32;
const SLOT_MASK = 0xfffn;
const TDR_MASK = 0x000f_ffff_ffff_f000n;

/** The TD in the page that a TDR should be in. undefined: `core.code` says why not. */
function targetOf(core: SeamCore, tdrHpa: number): Td | undefined {
  if (!core.isManaged(tdrHpa)) {
    core.fail(Code.OPERAND_ADDR_RANGE_ERROR, OperandId.TDR);
    return undefined;
  }
  if (!lock(core, OperandId.TDR)) return undefined;
  const td = core.tds.get(tdrHpa);
  if (core.pamt.typeOf(tdrHpa) !== PageType.TDR || td === undefined) {
    core.fail(Code.PAGE_METADATA_INCORRECT, OperandId.TDR);
    return undefined;
  }
  return hasControlStructure(core, td) && lock(core, OperandId.OP_STATE) ? td : undefined;
}

/** Why the caller may not reach into `target`, which it may be bound to. SUCCESS: it may. */
function bindingFault(core: SeamCore, { td }: Vcpu, target: Td, slot: number): CompletionCode {
  const { state, uuid, attributes, infoHash } = target.serviceTd;
  if (!lock(core, OperandId.SERVTD_BINDINGS)) return core.code;
  if (state !== BindingState.BOUND) return core.fail(Code.SERVTD_NOT_BOUND, slot);
  if (!bytesEqual(uuid, td.uuid)) return core.fail(Code.SERVTD_UUID_MISMATCH);
  if (!lock(core, OperandId.RTMR)) return core.code;
  const hash = tdInfoHash(td, td.configuration!, Number(attributes >> IGNORE_TDINFO_SHIFT));
  return bytesEqual(hash, infoHash) ? Code.SUCCESS : core.fail(Code.SERVTD_INFO_HASH_MISMATCH);
}

/**
 * Looks for the TD that the binding handle in RCX means, checks that R10 to R13 are its TD_UUID and that the caller is bound to it. What
 * is wrong with the other TD or the binding is for the host to know: the TD exits, trap-like, with CROSS_TD_TRAP. undefined: the leaf
 * returns `core.code`.
 */
export function reachTarget(core: SeamCore, vcpu: Vcpu): Td | undefined {
  const { state, memory } = vcpu.cpu;
  state.set(R8, 0, 0);
  const own = new DataView(vcpu.td.uuid.buffer, vcpu.td.uuid.byteOffset);
  const handle = BigInt.asUintN(64, join64(state.low(RCX), state.high(RCX)) - own.getBigUint64(0, true));
  const slot = Number(handle & SLOT_MASK);
  if (slot >= SERVICE_TD_SLOTS) {
    core.fail(Code.OPERAND_INVALID, OperandId.RCX);
    return undefined;
  }
  const tdrHpa = Number(handle & TDR_MASK);
  const target = targetOf(core, tdrHpa);
  if (target === undefined) return trapUnlessBusy(core, vcpu, tdrHpa);
  const uuidAt = state.base + R10;
  const named = memory.u8.subarray(uuidAt, uuidAt + UUID_BYTES);
  if (!bytesEqual(named, target.uuid)) {
    // the UUID that the TD had before it was imported, which no TD here was, is zero
    const isPreImport = named.every((byte) => byte === 0);
    if (isPreImport) memory.u8.set(target.uuid, uuidAt);
    core.fail(isPreImport ? Code.TARGET_UUID_UPDATED : Code.TARGET_UUID_MISMATCH);
    return undefined;
  }
  return bindingFault(core, vcpu, target, slot) === Code.SUCCESS ? target : trapUnlessBusy(core, vcpu, tdrHpa);
}

/** A lock that somebody has is the guest's to know: it tries again. */
function trapUnlessBusy(core: SeamCore, vcpu: Vcpu, tdrHpa: number): undefined {
  if (core.code !== Code.OPERAND_BUSY_HOST_PRIORITY)
    core.code = leaveAsTrap(core, vcpu, core.code, Code.CROSS_TD_TRAP, core.details, core.code, tdrHpa);
  return undefined;
}
