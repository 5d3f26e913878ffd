/**
 * A platform at rest, whole: state as a tree of values, memory as the pages that are not zero. Taken and given back between two runs of
 * its TDs; the run that goes on from a snapshot is the run that was never stopped, bit for bit.
 */
import { isZero, StateReader, type StateTree, StateWriter } from '../bits/index.ts';
import { type HostMemory, PAGE_SIZE_BYTES } from '../memory/index.ts';
import type { TdxPlatform } from './tdx-platform.ts';

/** Host pages side by side. */
export interface PageRun {
  readonly hpa: number;
  readonly lengthBytes: number;
}

const PAGE_WORDS = PAGE_SIZE_BYTES / 4;

/** The pages of RAM that are not zero, ascending. */
export function pagesInUse({ ramBase, ramBytes, writtenPage, i32 }: HostMemory): PageRun[] {
  const runs: { hpa: number; lengthBytes: number }[] = [];
  const end = (ramBase + ramBytes) / PAGE_SIZE_BYTES;
  let last: { hpa: number; lengthBytes: number } | undefined;
  for (let page = ramBase / PAGE_SIZE_BYTES; page < end; page++) {
    if (writtenPage[page] === 0 || isZero(i32, page * PAGE_WORDS, (page + 1) * PAGE_WORDS)) continue;
    const hpa = page * PAGE_SIZE_BYTES;
    if (last !== undefined && last.hpa + last.lengthBytes === hpa) last.lengthBytes += PAGE_SIZE_BYTES;
    else {
      last = { hpa, lengthBytes: PAGE_SIZE_BYTES };
      runs.push(last);
    }
  }
  return runs;
}

/** Zeroes every page of RAM; to be called before `writtenPage` is restored. */
export function clearPages({ ramBase, ramBytes, writtenPage, u8 }: HostMemory): void {
  const end = (ramBase + ramBytes) / PAGE_SIZE_BYTES;
  for (let page = ramBase / PAGE_SIZE_BYTES; page < end; page++)
    if (writtenPage[page] !== 0) u8.fill(0, page * PAGE_SIZE_BYTES, (page + 1) * PAGE_SIZE_BYTES);
}

/** A snapshot that stays in this process, for going back. */
export class MemorySnapshot {
  readonly #tree: StateTree;
  readonly #runs: readonly { readonly hpa: number; readonly content: Uint8Array }[];

  /** Throws a SnapshotError where the platform cannot be kept just now. */
  constructor(platform: TdxPlatform) {
    const writer = new StateWriter();
    platform.visitState(writer);
    this.#tree = writer.tree;
    const { memory } = platform;
    this.#runs = pagesInUse(memory).map(({ hpa, lengthBytes }) => ({
      hpa,
      content: memory.u8.slice(hpa, hpa + lengthBytes),
    }));
  }

  get lengthBytes(): number {
    return this.#runs.reduce((sum, { content }) => sum + content.length, 0);
  }

  /** Takes the platform it was made of back to that moment. */
  restore(platform: TdxPlatform): void {
    clearPages(platform.memory);
    for (const { hpa, content } of this.#runs) platform.memory.u8.set(content, hpa);
    platform.visitState(new StateReader(this.#tree));
  }
}
