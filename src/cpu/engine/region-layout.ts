/** How the blocks of a region lie: in page order, and a loop reaches from the target of a backward branch to the last block that branches back. */

import { branchTarget, type RegionBlock } from './region-block.ts';

export interface Loop {
  /** block that is branched back to */
  readonly header: number;
  /** its last block; loops nest, they never overlap in part */
  readonly last: number;
}

/** Loops of blocks 0 to `count - 1` with the given branches, outer ones first. */
export function findLoops(count: number, branches: readonly (readonly [from: number, to: number])[]): Loop[] {
  const last = new Map<number, number>();
  for (const [from, to] of branches) if (to <= from) last.set(to, Math.max(last.get(to) ?? 0, from));
  const headers = [...last.keys()].sort((a, b) => a - b);
  for (let changed = true; changed; ) {
    changed = false;
    for (const outer of headers)
      for (const inner of headers) {
        const end = last.get(outer)!;
        if (inner <= outer || inner > end || last.get(inner)! <= end) continue;
        last.set(outer, last.get(inner)!);
        changed = true;
      }
  }
  return headers.filter((header) => header < count).map((header) => ({ header, last: last.get(header)! }));
}

export class RegionLayout {
  readonly blocks: readonly RegionBlock[];
  /** blocks behind calls of what is in the region too */
  readonly returnSites: readonly number[];
  readonly #blockAt: ReadonlyMap<number, number>;
  readonly #loopAt: ReadonlyMap<number, Loop>;

  constructor(blocks: readonly RegionBlock[]) {
    this.blocks = blocks;
    this.#blockAt = new Map(blocks.map((block, i) => [block.pageOffset, i]));
    this.returnSites = blocks.flatMap(({ instructions }) => {
      const last = instructions.at(-1)!;
      const isInside = last.facts.operation === 'CALL' && this.#blockAt.has(branchTarget(last));
      return isInside ? (this.#blockAt.get(last.pageOffset + last.length) ?? []) : [];
    });
    this.#loopAt = new Map(findLoops(blocks.length, this.#branches()).map((loop) => [loop.header, loop]));
  }

  /** The block that begins at a page offset, by number. */
  blockAt(pageOffset: number): number | undefined {
    return this.#blockAt.get(pageOffset);
  }

  /** The loop whose header a block is. */
  loopOf(header: number): Loop | undefined {
    return this.#loopAt.get(header);
  }

  /** The innermost loop that holds a block. */
  loopAround(block: number): Loop | undefined {
    let innermost: Loop | undefined; // outer ones come first
    for (const loop of this.#loopAt.values()) if (loop.header <= block && block <= loop.last) innermost = loop;
    return innermost;
  }

  /** The outermost loop around `target` that does not hold `from`. */
  outermostEntered(target: number, from: number): Loop | undefined {
    for (const loop of this.#loopAt.values())
      if (loop.header <= target && target <= loop.last && !(loop.header <= from && from <= loop.last)) return loop;
    return undefined;
  }

  #branches(): (readonly [number, number])[] {
    const branches: (readonly [number, number])[] = [];
    this.blocks.forEach((block, from) => {
      for (const offset of [block.next, ...block.instructions.map(branchTarget)]) {
        const to = this.#blockAt.get(offset);
        if (to !== undefined) branches.push([from, to]);
      }
      if (block.instructions.at(-1)!.facts.operation === 'RET')
        for (const to of this.returnSites) branches.push([from, to]);
    });
    return branches;
  }
}
