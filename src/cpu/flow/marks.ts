/** Marks that somebody has put on values, to see where they go. What a mark means is that somebody's affair. */

export type Mark = object;
/** A set, in no order; never changed. */
export type Marks = readonly Mark[];

export const NO_MARKS: Marks = [];

export function union(a: Marks, b: Marks): Marks {
  if (b.length === 0 || a === b) return a;
  if (a.length === 0) return b;
  const added = b.filter((mark) => !a.includes(mark));
  return added.length === 0 ? a : [...a, ...added];
}

/** How a value decides about what it is no part of. */
export type Use =
  /** it is part of the address of an access */
  | 'address'
  /** it is where the guest goes on */
  | 'target'
  /** it becomes the stack pointer */
  | 'stack';

/** Whoever follows marks: keeps those of registers and memory, and is told what instructions do with them. */
export interface FlowSink {
  /** @param offset of 8 bytes of the state, a multiple of 8 */
  stateMarks(offset: number): Marks;
  setStateMarks(offset: number, marks: Marks): void;
  /** Of `bytes` that are read; what is read may get a mark now. */
  load(linear: bigint, bytes: number): Marks;
  store(linear: bigint, bytes: number, marks: Marks): void;
  copy(target: bigint, source: bigint, bytes: number): void;
  used(use: Use, marks: Marks): void;
  /** The guest looks at the value: a branch, or a choice between values, depends on it. */
  decided(marks: Marks): void;
  /** Marks of a value of which another one, without marks, leaves only some bits. */
  masked(marks: Marks): Marks;
}
