/** Runs rules over a TD: they are shown its crossings, and what they find is kept, once for each place. */

import { isSharedGpa, stripSharedBit } from '../../abi/index.ts';
import { S } from '../../cpu/index.ts';
import { Rflags } from '../../isa/index.ts';
import type { Td, TdxPlatform } from '../../machine/index.ts';
import type { CrossingObserver } from '../../probe/index.ts';
import { GuestView } from '../post-mortem/guest-view.ts';
import type { SymbolLookup } from '../symbols.ts';
import { type CheckedVcpu, CrossingStream } from './crossing-stream.ts';
import type { CheckedTd, CheckRule, Report, RuleWatch } from './events.ts';
import type { Finding } from './finding.ts';
import { FlowTracker, type HelperCalls } from './flow/flow-tracker.ts';

/** What rules are shown that follow instructions. */
const FLOW_EVENTS = ['exposed', 'used', 'lost', 'returned', 'trapped'] as const satisfies readonly (keyof RuleWatch)[];

const PAGE_BYTES = 4096;
const STI = 0xfb;

export interface CheckerOptions {
  readonly rules: readonly CheckRule[];
  /** name of a code address, "start_kernel+0x10" */
  readonly symbols?: SymbolLookup;
}

export class Checker {
  /** to be told of every crossing */
  readonly observer: CrossingObserver;
  readonly #symbols: SymbolLookup;
  readonly #watches: readonly RuleWatch[];
  readonly #flowWatches: readonly RuleWatch[];
  #flow: FlowTracker | undefined;
  /** by rule and place; in the order in which they were found */
  readonly #found = new Map<string, Finding>();
  #run: { readonly platform: TdxPlatform; readonly td: Td } | undefined;
  #vcpus: readonly CheckedVcpu[] = [];

  constructor({ rules, symbols = () => undefined }: CheckerOptions) {
    this.#symbols = symbols;
    const td: CheckedTd = {
      isRam: (gpa) => this.#run?.td.host.privateMemory.touchesRam(gpa, 1) ?? false,
      splitGpa: (gpa) => {
        const { gpaw } = this;
        return { address: stripSharedBit(gpa, gpaw), isShared: isSharedGpa(gpa, gpaw) };
      },
    };
    this.#watches = rules.map((rule) => rule.watch((report) => this.#report(rule, report), td));
    this.#flowWatches = this.#watches.filter((watch) => FLOW_EVENTS.some((event) => watch[event] !== undefined));
    const flow: RuleWatch = {
      vmmCall: (event) => this.#flow?.vmmCall(event),
      vmmAnswer: (event) => this.#flow?.vmmAnswer(event),
      moduleCall: (event) => this.#flow?.moduleCall(event),
    };
    this.observer = new CrossingStream(
      [flow, ...this.#watches],
      (index) => this.#vcpus[index],
      () => this.gpaw,
    );
  }

  /**
   * Until then nothing is known of vCPUs and memory: an observer is there before its platform. Rules that follow instructions take the place
   * of a debugger: a platform has one or the other.
   * @param helpers the functions whose instructions are followed; default: all that a TDCALL is met in
   */
  attach(platform: TdxPlatform, td: Td, helpers?: HelperCalls): void {
    this.#run = { platform, td };
    if (this.#flowWatches.length > 0)
      this.#flow = new FlowTracker(platform, td, this.#flowWatches, this.#symbols, helpers);
    this.#vcpus = platform.module.processorsOf(td.host.tdrHpa).map((processor, index) => {
      const view = new GuestView(platform, td, index);
      return {
        get retired() {
          return processor.retired;
        },
        get interruptsEnabled() {
          return (processor.state.low(S.rflags) & Rflags.IF) !== 0;
        },
        isAfterSti: (rip) => rip % BigInt(PAGE_BYTES) !== 0n && view.readLinear(rip - 1n, 1)[0] === STI,
      };
    });
  }

  get gpaw() {
    return this.#run?.td.host.gpaw ?? 48;
  }

  /** The run is over: rules that waited for something say so. */
  end(): void {
    for (const watch of this.#watches) watch.end?.();
  }

  /** One for each rule and instruction, in the order in which they were seen first. */
  get findings(): readonly Finding[] {
    return [...this.#found.values()];
  }

  #report({ id, severity }: CheckRule, { at, message, crossing, registers, gpa }: Report): void {
    const key = `${id} ${at.rip} ${registers?.join() ?? ''}`;
    const known = this.#found.get(key);
    if (known !== undefined) {
      this.#found.set(key, { ...known, times: known.times + 1 });
      return;
    }
    const symbol = this.#symbols(at.rip);
    this.#found.set(key, {
      rule: id,
      severity,
      message,
      instructionCount: at.instructionCount,
      vcpu: at.vcpu,
      rip: at.rip,
      ...(symbol === undefined ? {} : { symbol }),
      ...(crossing === undefined ? {} : { crossing }),
      ...(registers === undefined ? {} : { registers }),
      ...(gpa === undefined ? {} : { gpa }),
      times: 1,
    });
  }
}
