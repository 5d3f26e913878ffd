/** Sees what crosses the border while the function runs, and takes the launcher's own calls out of it. */
import {
  asTdvmcallStatus,
  completionCodeName,
  Gpr,
  type RegisterFile,
  TdvmcallLeaf,
  type TdvmcallStatus,
  tdgLeafName,
  tdvmcallLeafName,
} from '../../abi/index.ts';
import type { StateVisitor } from '../../bits/index.ts';
import { gprName } from '../../isa/index.ts';
import { SHIM_ROM_GPA } from '../../loader/index.ts';
import { CrossingKind, type CrossingObserver } from '../../probe/index.ts';
import type { Tdvmcall, VmmHooks } from '../../vmm/index.ts';
import type { FunctionCall, FunctionCrossing, RegisterValues } from './function-call.ts';
import { LAUNCHER_CALL } from './launcher.ts';

const DEFAULT_WAKE_VECTOR = 0x20;
const WAKE_AFTER_TICKS = 1000;
const GPRS = 16;
const EVERY_REGISTER = 0xffff;

export class Watch implements CrossingObserver {
  readonly crossings: FunctionCrossing[] = [];
  readonly hooks: VmmHooks;
  /** what the launcher told */
  event: { readonly kind: number; readonly argument: number } | undefined;
  readonly #wakeVector: number | null;

  constructor(call: FunctionCall) {
    this.#wakeVector = call.wakeVector === undefined ? DEFAULT_WAKE_VECTOR : call.wakeVector;
    this.hooks = { ...call.hostHooks, tdvmcall: (one, serve) => this.#vmmCall(one, serve, call.hostHooks) };
  }

  /** For whoever takes the run back: notes what has been seen so far, and returns how to forget the rest. */
  keep(): () => void {
    const { length } = this.crossings;
    const { event } = this;
    return () => {
      this.crossings.length = length;
      this.event = event;
    };
  }

  /** For snapshots: what has been seen so far. Restoring is for a watch that has seen nothing. */
  visitState(state: StateVisitor): void {
    state.fields('seen', this, ['hooks']);
  }

  crossing(kind: CrossingKind, _vcpu: number, code: number, operand: number, result: number, ripLow: number): void {
    const fromShim = ripLow >>> 0 >= SHIM_ROM_GPA;
    if (kind !== CrossingKind.ModuleCall || fromShim) return;
    const status = result >>> 0;
    this.crossings.push({
      answeredBy: 'module',
      leaf: code,
      name: tdgLeafName(code),
      rcx: operand,
      status,
      statusName: completionCodeName(status),
    });
  }

  #vmmCall(call: Tdvmcall, serve: () => TdvmcallStatus, hooks: VmmHooks | undefined): TdvmcallStatus {
    const { registers, td } = call;
    if (registers.u64[Gpr.R10] === LAUNCHER_CALL) {
      this.event = { kind: call.leaf, argument: registers.low(Gpr.R12) };
      td.stop({ cause: 'stopped' });
      return asTdvmcallStatus(0n);
    }
    const mask = registers.low(Gpr.RCX) & EVERY_REGISTER;
    const given = valuesOf(registers, mask);
    const status = hooks?.tdvmcall === undefined ? serve() : hooks.tdvmcall(call, serve);
    const received = { ...valuesOf(registers, mask), ...((mask >> Gpr.R10) & 1 ? { r10: status } : {}) };
    const name = given.r10 === 0n ? tdvmcallLeafName(call.leaf) : 'vendor call';
    this.crossings.push({ answeredBy: 'vmm', leaf: call.leaf, name, mask, given, received, status });
    if (call.leaf === TdvmcallLeaf.INSTRUCTION_HLT && this.#wakeVector !== null)
      this.#wakeLater(call, this.#wakeVector);
    return status;
  }

  #wakeLater({ td, vcpu }: Tdvmcall, vector: number): void {
    td.clock.schedule(td.clock.nowTicks + WAKE_AFTER_TICKS, () => td.post(vcpu, vector));
  }
}

function valuesOf(registers: RegisterFile, mask: number): RegisterValues {
  const values: Record<string, bigint> = {};
  for (let index = 0; index < GPRS; index++)
    if ((mask >> index) & 1) values[gprName(index, 64)] = registers.u64[index as Gpr]!;
  return values;
}
