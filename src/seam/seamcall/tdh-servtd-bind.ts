import {
  CompletionCode as Code,
  type CompletionCode,
  Gpr,
  OperandId,
  type RegisterFile,
  TdhLeaf,
} from '../../abi/index.ts';
import { bytesEqual } from '../../bits/index.ts';
import type { SeamCore } from '../core.ts';
import { tdInfoHash } from '../report/tdreport.ts';
import { BindingState, IGNORE_TDINFO_SHIFT, INSTANCE_BINDING, ServiceBinding } from '../structures/service-td.ts';
import { OpState, type Td } from '../structures/td.ts';
import { hasControlStructure, isInState } from '../structures/td-state.ts';
import { leafSource, type SystemRow } from './row.ts';
import { namesServiceTd } from './service-td-operands.ts';
import { tdOf } from './td-operand.ts';

const OUTPUTS: readonly Gpr[] = [Gpr.RCX, Gpr.R10, Gpr.R11, Gpr.R12, Gpr.R13];
const SERVED_STATES = [OpState.UNINITIALIZED, OpState.INITIALIZED, OpState.RUNNABLE];

/** The TD that a register names, if it may be bound now. */
function bindable(core: SeamCore, registers: RegisterFile, register: Gpr, states: readonly OpState[]): Td | undefined {
  const td = tdOf(core, registers, register);
  return td !== undefined && hasControlStructure(core, td) && isInState(core, td, states) ? td : undefined;
}

/** What keeps `other` from a slot. SUCCESS: nothing does. */
function mismatch(slot: ServiceBinding, served: Td, other: ServiceBinding): CompletionCode {
  if (slot.state === BindingState.NOT_BOUND)
    return served.opState === OpState.RUNNABLE ? Code.OP_STATE_INCORRECT : Code.SUCCESS;
  if (slot.type !== other.type) return Code.SERVTD_TYPE_MISMATCH;
  if (slot.attributes !== other.attributes) return Code.SERVTD_ATTR_MISMATCH;
  if (slot.state === BindingState.BOUND && (slot.attributes & INSTANCE_BINDING) !== 0n)
    return bytesEqual(slot.uuid, other.uuid) ? Code.SUCCESS : Code.SERVTD_UUID_MISMATCH;
  return bytesEqual(slot.infoHash, other.infoHash) ? Code.SUCCESS : Code.SERVTD_INFO_HASH_MISMATCH;
}

/** The slot as it is when `service` is bound, as the registers want it. */
function bindingOf(service: Td, registers: RegisterFile): ServiceBinding {
  const attributes = registers.u64[Gpr.R10]!;
  const ignored = Number(attributes >> IGNORE_TDINFO_SHIFT);
  const binding = new ServiceBinding();
  binding.name(registers.number(Gpr.R9), attributes, tdInfoHash(service, service.configuration!, ignored));
  binding.uuid.set(service.uuid);
  binding.state = BindingState.BOUND;
  return binding;
}

/** Lets a service TD reach into the metadata of a TD, or another instance of the same service TD take its place. */
export const tdhServtdBind: SystemRow = {
  scope: 'system',
  leaf: TdhLeaf.SERVTD_BIND,
  name: 'TDH.SERVTD.BIND',
  operands:
    'in: RCX = TDR HPA, RDX = TDR HPA of the service TD, R8 = slot, R9 = type, R10 = SERVTD_ATTR; out: RCX = binding handle, R10-R13 = TD_UUID of the TD',
  source: leafSource('TDH.SERVTD.BIND'),
  run(core, registers) {
    const code = bind(core, registers);
    if (code !== Code.SUCCESS) registers.zero(OUTPUTS);
    return code;
  },
};

function bind(core: SeamCore, registers: RegisterFile): CompletionCode {
  if (registers.u64[Gpr.RCX] === registers.u64[Gpr.RDX]) return core.fail(Code.OPERAND_INVALID, OperandId.RDX);
  const served = bindable(core, registers, Gpr.RCX, SERVED_STATES);
  if (served === undefined) return core.code;
  const service = bindable(core, registers, Gpr.RDX, [OpState.RUNNABLE]);
  if (service === undefined) return core.code;
  if (!namesServiceTd(core, registers)) return core.code;
  const binding = bindingOf(service, registers);
  const slot = served.serviceTd;
  const code = mismatch(slot, served, binding);
  if (code !== Code.SUCCESS) return core.fail(code);
  slot.take(binding);

  const uuid = new DataView(served.uuid.buffer, served.uuid.byteOffset);
  const handle = BigInt(served.tdrHpa) | registers.u64[Gpr.R8]!;
  registers.u64[Gpr.RCX] = handle + new DataView(slot.uuid.buffer).getBigUint64(0, true);
  for (let word = 0; word < 4; word++) registers.u64[Gpr.R10 + word] = uuid.getBigUint64(word * 8, true);
  return Code.SUCCESS;
}
