/** Where the loops of a region lie: blocks stand in page order, a loop reaches from the target of a backward branch to the last block that branches back. */

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
