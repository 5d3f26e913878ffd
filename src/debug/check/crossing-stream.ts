/** From the numbers of a TD's crossings to the events that rules are shown. */

import {
  asTdvmcallStatus,
  type CompletionCode,
  completionCodeName,
  type Gpaw,
  Gpr,
  isSharedGpa,
  levelBytes,
  stripSharedBit,
  tdvmcallStatusName,
} from '../../abi/index.ts';
import { join64 } from '../../bits/index.ts';
import { ExitReason } from '../../cpu/index.ts';
import { CrossingKind, type CrossingObserver, type RegisterHalves } from '../../probe/index.ts';
import { SEPT_STATES } from '../../seam/index.ts';
import { crossingName, crossingTitle } from '../crossing-names.ts';
import { type ExitEvent, Registers, type RuleWatch, type VmmCallEvent } from './events.ts';
import type { FindingCrossing } from './finding.ts';
import type { Place } from './place.ts';

/** What of a vCPU is asked for at a crossing. */
export interface CheckedVcpu {
  readonly retired: number;
  readonly interruptsEnabled: boolean;
  /** Is STI the instruction before this address? */
  isAfterSti(rip: bigint): boolean;
}

const VENDOR_CALL = 0x8000_0000;

interface OfVcpu {
  /** a TDCALL that the module serves */
  given: Registers | undefined;
  call: VmmCallEvent | undefined;
}

export class CrossingStream implements CrossingObserver {
  readonly wantsEntries = true;
  readonly #watches: readonly RuleWatch[];
  readonly #vcpu: (index: number) => CheckedVcpu | undefined;
  readonly #gpaw: () => Gpaw;
  readonly #ofVcpu: OfVcpu[] = [];

  constructor(watches: readonly RuleWatch[], vcpu: (index: number) => CheckedVcpu | undefined, gpaw: () => Gpaw) {
    this.#watches = watches;
    this.#vcpu = vcpu;
    this.#gpaw = gpaw;
  }

  crossing(
    kind: CrossingKind,
    vcpu: number,
    code: number,
    operand: number,
    result: number,
    ripLow: number,
    ripHigh: number,
    registers: RegisterHalves,
  ): void {
    if (kind === CrossingKind.PrivatePage) {
      const row = SEPT_STATES[code];
      const event = { gpa: result, bytes: levelBytes(operand % 256), isPending: row?.pending === true };
      if (row?.leaf === true) for (const watch of this.#watches) watch.page?.(event);
      return;
    }
    if (vcpu < 0) return;
    const of = (this.#ofVcpu[vcpu] ??= { given: undefined, call: undefined });
    const rip = join64(ripLow, ripHigh);
    const at: Place = { vcpu, rip, instructionCount: this.#vcpu(vcpu)?.retired ?? 0 };
    const crossing: FindingCrossing = { kind: crossingTitle(kind), name: crossingName(kind, code), rip };
    switch (kind) {
      case CrossingKind.ModuleCallEntry:
        of.given = new Registers(registers);
        break;
      case CrossingKind.ModuleCall:
        this.#moduleCall(of, at, crossing, code, result >>> 0, registers);
        break;
      case CrossingKind.VmmCall:
        this.#vmmCall(of, at, crossing, code, registers);
        break;
      case CrossingKind.VmmAnswer:
        this.#vmmAnswer(of, at, join64(code, operand), registers);
        break;
      case CrossingKind.VirtualizationException: {
        const event = this.#exit(of, at, crossing, code, result);
        for (const watch of this.#watches) watch.virtualizationException?.(event);
        break;
      }
      case CrossingKind.TdExit: {
        const event = this.#exit(of, at, crossing, code, result);
        for (const watch of this.#watches) watch.tdExit?.(event);
        break;
      }
      case CrossingKind.Exception:
        for (const watch of this.#watches) watch.exception?.({ at, crossing, vector: code });
    }
  }

  #moduleCall(
    of: OfVcpu,
    at: Place,
    crossing: FindingCrossing,
    leaf: number,
    code: CompletionCode,
    registers: RegisterHalves,
  ): void {
    const received = new Registers(registers);
    const event = {
      at,
      crossing: { ...crossing, status: completionCodeName(code) },
      leaf,
      given: of.given ?? received,
      received,
      code,
    };
    of.given = undefined;
    for (const watch of this.#watches) watch.moduleCall?.(event);
  }

  #vmmCall(of: OfVcpu, at: Place, crossing: FindingCrossing, code: number, registers: RegisterHalves): void {
    const given = new Registers(registers);
    const vcpu = this.#vcpu(at.vcpu);
    const isVendor = code >>> 0 >= VENDOR_CALL && given.big(Gpr.R10) !== 0n;
    const event: VmmCallEvent = {
      at,
      crossing,
      leaf: isVendor ? undefined : code,
      mask: given.number(Gpr.RCX),
      given,
      interruptsEnabled: vcpu?.interruptsEnabled ?? false,
      afterSti: vcpu?.isAfterSti(at.rip) ?? false,
    };
    of.given = undefined;
    of.call = event;
    for (const watch of this.#watches) watch.vmmCall?.(event);
  }

  #vmmAnswer(of: OfVcpu, at: Place, r10: bigint, registers: RegisterHalves): void {
    const { call } = of;
    if (call === undefined) return;
    of.call = undefined;
    const status = asTdvmcallStatus(r10);
    const event = {
      at: { ...at, rip: call.at.rip },
      crossing: { ...call.crossing, status: tdvmcallStatusName(status) },
      call,
      status,
      received: new Registers(registers),
    };
    for (const watch of this.#watches) watch.vmmAnswer?.(event);
  }

  #exit(of: OfVcpu, at: Place, crossing: FindingCrossing, reason: number, address: number): ExitEvent {
    const isEpt = reason === ExitReason.EptViolation;
    const gpaw = this.#gpaw();
    return {
      at,
      crossing,
      reason,
      gpa: isEpt ? stripSharedBit(address, gpaw) : 0,
      isShared: isEpt && isSharedGpa(address, gpaw),
      inModuleCall: of.given !== undefined,
    };
  }
}
