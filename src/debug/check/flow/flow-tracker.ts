/** Looks at instructions around the crossings of a TD, and only there: the rest of the run goes at full speed. */

import { join64 } from '../../../bits/index.ts';
import type { DebugStops, Processor, StepWatcher } from '../../../cpu/index.ts';
import type { Instruction } from '../../../isa/index.ts';
import type { Td, TdxPlatform } from '../../../machine/index.ts';
import { GuestView } from '../../post-mortem/guest-view.ts';
import type { SymbolLookup } from '../../symbols.ts';
import type { ModuleCallEvent, RuleWatch, VmmAnswerEvent, VmmCallEvent } from '../events.ts';
import { VcpuFlow } from './vcpu-flow.ts';

/** After a crossing, or in a helper, a vCPU is followed for so many steps at most. */
const MOST_STEPS = 4000;
/** Code that makes itself anew at each call would have ever more helpers. */
const MOST_HELPERS = 64;

export interface HelperCalls {
  /** linear addresses of functions that hold a TDCALL */
  readonly entries: readonly bigint[];
  /** arguments that they are called with */
  readonly argumentCount: number;
  /** code that is checked; crossings of other code are not */
  readonly isChecked: (linear: bigint) => boolean;
}

export class FlowTracker implements StepWatcher, RuleWatch {
  readonly #stops: DebugStops;
  readonly #vcpus: readonly VcpuFlow[];
  readonly #byProcessor = new Map<Processor, VcpuFlow>();
  readonly #helpers = new Set<bigint>();
  readonly #symbols: SymbolLookup;
  readonly #learns: boolean;

  /** @param helpers the functions to look at; undefined: all that a TDCALL is met in, from their second call on */
  constructor(
    platform: TdxPlatform,
    td: Td,
    watches: readonly RuleWatch[],
    symbols: SymbolLookup,
    helpers: HelperCalls | undefined,
  ) {
    this.#symbols = symbols;
    this.#learns = helpers === undefined;
    this.#stops = platform.processors.debug();
    this.#stops.watcher = this;
    const processors = platform.module.processorsOf(td.host.tdrHpa);
    this.#vcpus = processors.map((processor, index) => {
      const view = new GuestView(platform, td, index);
      return new VcpuFlow(index, processor, watches, {
        mostSteps: helpers === undefined ? MOST_STEPS : Number.POSITIVE_INFINITY,
        argumentCount: helpers?.argumentCount,
        onlyInHelpers: helpers !== undefined,
        isChecked: helpers?.isChecked ?? (() => true),
        readCode: (linear, bytes) => view.readLinear(linear, bytes),
        isShared: (linear) => {
          const { gpa } = view.walk(linear);
          return gpa !== undefined && view.splitGpa(Number(gpa)).isShared;
        },
        foundHelper: (entry) => this.#watchHelper(entry),
      });
    });
    processors.forEach((processor, index) => {
      this.#byProcessor.set(processor, this.#vcpus[index]!);
    });
    for (const entry of helpers?.entries ?? []) this.#watchHelper(entry);
  }

  #watchHelper(entry: bigint): void {
    if (this.#helpers.has(entry) || this.#helpers.size >= MOST_HELPERS) return;
    this.#helpers.add(entry);
    this.#stops.addBreakpoint(Number(BigInt.asIntN(32, entry)), Number(BigInt.asIntN(32, entry >> 32n)));
  }

  /** A TDCALL at this place: the function around it is a helper, where it has a name. */
  #learnByName(rip: bigint): void {
    const offset = this.#learns ? /\+(0x[0-9a-f]+)$/.exec(this.#symbols(rip) ?? '')?.[1] : undefined;
    if (offset !== undefined) this.#watchHelper(rip - BigInt(offset));
  }

  reached(processor: Processor, low: number, high: number): void {
    this.#byProcessor.get(processor)?.enter(join64(low, high));
  }
  wants(processor: Processor): boolean {
    return this.#byProcessor.get(processor)?.isLooking === true;
  }
  before(processor: Processor, instruction: Instruction): void {
    this.#byProcessor.get(processor)!.before(instruction);
  }
  after(processor: Processor): void {
    this.#byProcessor.get(processor)!.after();
  }

  vmmCall(event: VmmCallEvent): void {
    this.#learnByName(event.at.rip);
    this.#vcpus[event.at.vcpu]?.vmmCall(event);
  }
  vmmAnswer(event: VmmAnswerEvent): void {
    this.#vcpus[event.at.vcpu]?.vmmAnswer(event);
  }
  moduleCall(event: ModuleCallEvent): void {
    this.#learnByName(event.at.rip);
    this.#vcpus[event.at.vcpu]?.moduleCall(event);
  }
}
