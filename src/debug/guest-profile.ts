/** Where a guest spends its instructions, by name of the kernel's functions: stacks of two or three for flame graphs, in the folded form. */
import { hex } from '../bits/index.ts';
import { type LogicalProcessor, S } from '../cpu/index.ts';
import type { TdxPlatform } from '../machine/index.ts';
import type { SymbolLookup } from './symbols.ts';

/** A prime, so that no loop of the guest keeps step with it; some 15 000 samples a boot. */
const SAMPLE_INSTRUCTIONS = 100_003;
const USER = 3;
const PAGE_MASK = ~0xfffn;
/** below, a kernel runs where it was loaded: firmware, its decompressor, its first instructions */
const UPPER_HALF = 1n << 63n;

export class GuestProfile {
  /** samples by address in the kernel; by page table root in user mode */
  readonly #kernel = new Map<bigint, number>();
  readonly #user = new Map<bigint, number>();

  /** Begins: every so many instructions of each processor. */
  attach(platform: TdxPlatform): void {
    platform.processors.sampleEvery(SAMPLE_INSTRUCTIONS, (processor) => this.#take(processor));
  }

  #take({ state }: LogicalProcessor): void {
    if (state.low(S.cpl) === USER) count(this.#user, state.big(S.cr3) & PAGE_MASK);
    else count(this.#kernel, state.big(S.rip));
  }

  /** Lines "kernel;function samples" and "user;process samples", as flamegraph.pl and speedscope read them, the most frequent first. */
  folded(symbols: SymbolLookup): string {
    const stacks = new Map<string, number>();
    const add = (stack: string, samples: number): void => {
      stacks.set(stack, (stacks.get(stack) ?? 0) + samples);
    };
    for (const [address, samples] of this.#kernel) {
      const name = symbols(address)?.replace(/\+0x[0-9a-f]+$/, '');
      const page = `page ${hex(address & PAGE_MASK)}`;
      add(`kernel;${name ?? (address < UPPER_HALF ? `identity map;${page}` : page)}`, samples);
    }
    for (const [root, samples] of this.#user) add(`user;page tables at ${hex(root)}`, samples);
    const lines = [...stacks].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return lines.map(([stack, samples]) => `${stack} ${samples}\n`).join('');
  }
}

function count(counts: Map<bigint, number>, key: bigint): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
