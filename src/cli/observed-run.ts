/** Who looks on while a TD runs: counts, last crossings, histories of pages, a trace, names; and what they say when it is dead. */

import {
  CrossingRecorder,
  findOrcTable,
  formatPostMortem,
  GuestSymbols,
  GuestView,
  type HelperCalls,
  type LinearPages,
  type OrcTable,
  PageHistory,
  type PostMortem,
  postMortem,
  quietTd,
  type SymbolLookup,
  tracedPlatform,
  whereTdIs,
} from '../debug/index.ts';
import type { Td, TdEnd, TdxPlatform } from '../machine/index.ts';
import { type CrossingObserver, observeAll } from '../probe/index.ts';
import { type CheckOptions, RunCheck } from './check-options.ts';
import type { CodePlaces } from './code-places.ts';
import { replayLine } from './replay.ts';
import { openTrace, type TraceOptions } from './trace-options.ts';

export interface ObservedRunOptions {
  readonly trace: TraceOptions;
  /** names from a file, and lines; without a name there the guest's own memory is asked */
  readonly places: CodePlaces;
  readonly check: CheckOptions;
  /** the end of what the guest printed */
  readonly consoleText: () => string;
}

export class ObservedRun {
  readonly crossings = new CrossingRecorder();
  readonly observer: CrossingObserver;
  readonly #pages = new PageHistory();
  readonly #options: ObservedRunOptions;
  readonly #trace: ReturnType<typeof openTrace>;
  /** undefined: nothing is checked */
  readonly check: RunCheck | undefined;
  #guestSymbols: GuestSymbols | undefined;
  #run: { readonly platform: TdxPlatform; readonly td: Td } | undefined;

  constructor(options: ObservedRunOptions) {
    this.#options = options;
    this.#trace = openTrace(options.trace, this.symbols, replayLine(process.argv.slice(2)));
    this.check = RunCheck.from(options.check, this.symbols);
    const wanted = [this.#trace?.observer, this.check?.observer].filter((one) => one !== undefined);
    this.observer = observeAll(this.crossings, this.#pages, ...wanted);
  }

  /** Name of a code address. */
  readonly symbols: SymbolLookup = (address) =>
    this.#options.places.symbols(address) ?? this.#guestSymbols?.functionAt(address);

  /** The kernel's unwind tables, out of its memory. */
  readonly orcTable = (guest: LinearPages): OrcTable | undefined =>
    this.#guestSymbols && findOrcTable(guest, this.#guestSymbols, this.#options.places.orc?.());

  /** @param helpers the functions whose instructions are checked; default: all that a TDCALL is met in */
  attach(platform: TdxPlatform, td: Td, helpers?: HelperCalls): void {
    this.#run = { platform, td };
    this.#guestSymbols = new GuestSymbols(new GuestView(platform, td, 0).pages, () => platform.clock.nowTicks);
    this.crossings.attach(tracedPlatform(platform, td));
    this.#pages.attach(platform.clock);
    this.#trace?.attach(platform, td);
    this.check?.attach(platform, td, helpers);
  }

  /** Writes the rest of the trace; rules that waited for something say so. */
  end(): void {
    this.check?.end();
    this.#trace?.end();
  }

  /** undefined: this end is no death. */
  postMortem(end: TdEnd): PostMortem | undefined {
    return this.#run === undefined ? undefined : postMortem({ ...this.#looksOn(), ...this.#run, end });
  }

  /** A sentence while the guest has not crossed its border for long. */
  quietSentence(): string | undefined {
    return this.#run === undefined ? undefined : quietTd({ ...this.#looksOn(), ...this.#run });
  }

  /** "at 0x1000 (start_kernel+0x10), last crossing VMM call Instruction.IO" */
  where(): string {
    return this.#run === undefined ? 'before its first instruction' : whereTdIs({ ...this.#looksOn(), ...this.#run });
  }

  #looksOn() {
    return {
      crossings: this.crossings,
      pages: this.#pages,
      symbols: this.symbols,
      sources: this.#options.places.sources,
      consoleText: this.#options.consoleText(),
    };
  }
}

/** The report and the way to see it again. @param inputs file with what was typed, if anything was */
export function deathText(report: PostMortem, inputs?: string): string {
  const more = inputs === undefined ? [] : ['--replay', inputs];
  return `${formatPostMortem(report)}\n\nTo see it again: ${replayLine([...process.argv.slice(2), ...more])}`;
}
