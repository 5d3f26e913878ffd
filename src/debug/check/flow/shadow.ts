/** Marks of one vCPU's registers, and of memory by linear address. */

import { type Marks, NO_MARKS, union } from '../../../cpu/index.ts';

/** Exact: canonical addresses of 48 bits, with their sign. */
const keyOf = (linear: bigint): number => Number(BigInt.asIntN(64, linear));

export class Shadow {
  readonly state = new Map<number, Marks>();
  readonly memory = new Map<number, Marks>();

  clear(): void {
    this.state.clear();
    this.memory.clear();
  }

  ofState(offset: number): Marks {
    return this.state.get(offset) ?? NO_MARKS;
  }

  setState(offset: number, marks: Marks): void {
    if (marks.length === 0) this.state.delete(offset);
    else this.state.set(offset, marks);
  }

  ofMemory(linear: bigint, bytes: number): Marks {
    if (this.memory.size === 0) return NO_MARKS;
    const first = keyOf(linear);
    let marks = NO_MARKS;
    for (let at = first; at < first + bytes; at++) marks = union(marks, this.memory.get(at) ?? NO_MARKS);
    return marks;
  }

  setMemory(linear: bigint, bytes: number, marks: Marks): void {
    if (marks.length === 0 && this.memory.size === 0) return;
    const first = keyOf(linear);
    for (let at = first; at < first + bytes; at++) {
      if (marks.length === 0) this.memory.delete(at);
      else this.memory.set(at, marks);
    }
  }

  copyMemory(target: bigint, source: bigint, bytes: number): void {
    if (this.memory.size === 0) return;
    const [to, from] = [keyOf(target), keyOf(source)];
    const copied = Array.from({ length: bytes }, (_, i) => this.memory.get(from + i));
    copied.forEach((marks, i) => {
      if (marks === undefined) this.memory.delete(to + i);
      else this.memory.set(to + i, marks);
    });
  }

  /** What lies in [from, to) is dead; true if something did. */
  forget(from: bigint, to: bigint): boolean {
    if (this.memory.size === 0) return false;
    const [first, end] = [keyOf(from), keyOf(to)];
    let found = false;
    for (const at of this.memory.keys())
      if (at >= first && at < end) {
        this.memory.delete(at);
        found = true;
      }
    return found;
  }

  /** Does something fit anywhere? */
  holds(test: (marks: Marks) => boolean): boolean {
    for (const marks of this.state.values()) if (test(marks)) return true;
    for (const marks of this.memory.values()) if (test(marks)) return true;
    return false;
  }
}
