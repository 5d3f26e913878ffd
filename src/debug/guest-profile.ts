/** Where a guest spends its instructions, by name of the kernel's functions and of those who called them, in the folded form of flame graphs. */
import { hex } from '../bits/index.ts';
import { type LogicalProcessor, S } from '../cpu/index.ts';
import type { TdxPlatform } from '../machine/index.ts';
import { LinearPages, signedAddress } from './linear-pages.ts';
import type { SymbolLookup } from './symbols.ts';
import { KERNEL_TEXT_START, type OrcTable } from './unwind/orc-table.ts';
import { StackWords } from './unwind/stack-words.ts';
import { type ChainEnd, type StartRegisters, Unwinder } from './unwind/unwind.ts';

/** A prime, so that no loop of the guest keeps step with it; some 15 000 samples a boot. */
const SAMPLE_INSTRUCTIONS = 100_003;
const USER = 3;
const RSP = 4;
const RBP = 5;
const PAGE_MASK = ~0xfffn;
/** below, a kernel runs where it was loaded: firmware, its decompressor, its first instructions */
const UPPER_HALF = 1n << 63n;
/** A guest that has no tables is asked again after so many times as many samples: what runs high up need not be the kernel yet. */
const LATER = 8;

/** Functions that were called one from the other, the outermost first. */
interface Caller {
  samples: number;
  readonly called: Map<number, Caller>;
}

const noCaller = (): Caller => ({ samples: 0, called: new Map() });

export class GuestProfile {
  readonly #findTable: (guest: LinearPages) => OrcTable | undefined;
  #table: OrcTable | undefined;
  #kernelSamples = 0;
  #askAt = 1;
  readonly #looks = new Map<LogicalProcessor, Look>();
  /** chains that are whole, and those whose beginning is not known */
  readonly #chains = noCaller();
  readonly #lost = noCaller();
  /** samples by address of what runs low, and by page table root in user mode */
  readonly #low = new Map<bigint, number>();
  readonly #user = new Map<bigint, number>();

  /** @param findTable reads the kernel's unwind tables out of a guest whose kernel runs; without, callers are found by frame pointers, where there are some */
  constructor(findTable: (guest: LinearPages) => OrcTable | undefined = () => undefined) {
    this.#findTable = findTable;
  }

  /** Begins: every so many instructions of each processor. */
  attach(platform: TdxPlatform): void {
    platform.processors.sampleEvery(SAMPLE_INSTRUCTIONS, (processor) => this.#take(processor));
  }

  #take(processor: LogicalProcessor): void {
    const { state } = processor;
    const ip = signedAddress(state.low(S.rip), state.high(S.rip));
    if (state.low(S.cpl) === USER) count(this.#user, state.big(S.cr3) & PAGE_MASK);
    else if (ip < KERNEL_TEXT_START || ip >= 0) count(this.#low, state.big(S.rip));
    else {
      const look = this.#lookOf(processor);
      add(look.unwind(ip) === 'lost' ? this.#lost : this.#chains, look.unwinder);
    }
  }

  #lookOf(processor: LogicalProcessor): Look {
    this.#kernelSamples++;
    if (this.#table === undefined && this.#kernelSamples === this.#askAt) {
      this.#askAt *= LATER;
      this.#table = this.#findTable(new LinearPages(processor));
      if (this.#table !== undefined) this.#looks.clear();
    }
    let look = this.#looks.get(processor);
    if (look === undefined) {
      look = new Look(processor, this.#table);
      this.#looks.set(processor, look);
    }
    return look;
  }

  /**
   * Lines "kernel;start_kernel;mm_init;memset samples" and "user;process samples", as flamegraph.pl and speedscope read them, the most frequent
   * first. A chain begins where the kernel starts a stack, or with the entry from a program.
   */
  folded(symbols: SymbolLookup): string {
    const stacks = new Map<string, number>();
    const put = (stack: string, samples: number): void => {
      stacks.set(stack, (stacks.get(stack) ?? 0) + samples);
    };
    const names = new Map<number, string>();
    const nameOf = (address: number): string => {
      let name = names.get(address);
      if (name === undefined) {
        name = placeName(BigInt.asUintN(64, BigInt(address)), symbols);
        names.set(address, name);
      }
      return name;
    };
    const walk = (caller: Caller, stack: string): void => {
      if (caller.samples > 0) put(stack, caller.samples);
      for (const [address, called] of caller.called) walk(called, `${stack};${nameOf(address)}`);
    };
    walk(this.#chains, 'kernel');
    // without tables no chain is known to be whole
    walk(this.#lost, this.#table === undefined ? 'kernel' : 'kernel;unknown caller');
    for (const [address, samples] of this.#low) put(`kernel;${placeName(address, symbols)}`, samples);
    for (const [root, samples] of this.#user) put(`user;page tables at ${hex(root)}`, samples);
    const lines = [...stacks].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return lines.map(([stack, samples]) => `${stack} ${samples}\n`).join('');
  }
}

/** One processor, as its samples see it. */
class Look implements StartRegisters {
  readonly #processor: LogicalProcessor;
  readonly #words: StackWords;
  readonly unwinder: Unwinder;
  ip = 0;

  constructor(processor: LogicalProcessor, table: OrcTable | undefined) {
    this.#processor = processor;
    this.#words = new StackWords(new LinearPages(processor));
    this.unwinder = new Unwinder(table, this.#words.word);
  }

  get sp(): number {
    return this.register(RSP);
  }

  get bp(): number {
    return this.register(RBP);
  }

  register(gpr: number): number {
    const { state } = this.#processor;
    return signedAddress(state.low(S.gpr + 8 * gpr), state.high(S.gpr + 8 * gpr));
  }

  unwind(ip: number): ChainEnd {
    this.ip = ip;
    this.#words.forget();
    return this.unwinder.unwind(this);
  }
}

function placeName(address: bigint, symbols: SymbolLookup): string {
  const name = symbols(address)?.replace(/\+0x[0-9a-f]+$/, '');
  const page = `page ${hex(address & PAGE_MASK)}`;
  return name ?? (address < UPPER_HALF ? `identity map;${page}` : page);
}

function add(root: Caller, { chain, depth }: Unwinder): void {
  let caller = root;
  for (let i = depth - 1; i >= 0; i--) {
    const address = chain[i]!;
    let called = caller.called.get(address);
    if (called === undefined) {
      called = noCaller();
      caller.called.set(address, called);
    }
    caller = called;
  }
  caller.samples++;
}

function count(counts: Map<bigint, number>, key: bigint): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
