/** What a region is made of: straight lines of instructions in one page, as discovery has found them. */
import type { Facts, Operation } from '../exec/sem.ts';
import type { OperandShape } from './interpreter-handler.ts';

/** An instruction of a region: what its record would hold, known when the region is compiled. */
export interface RegionInstruction {
  readonly pageOffset: number;
  readonly length: number;
  /** undefined: the interpreter executes it */
  readonly operation: Operation | undefined;
  readonly facts: Facts;
  readonly shapes: readonly OperandShape[];
  /** state offsets of register operands, by slot */
  readonly registers: readonly number[];
  readonly base: number;
  readonly index: number;
  readonly scaleShift: number;
  readonly segment: number;
  readonly displacement: number;
  readonly immediate: bigint;
}

export interface RegionBlock {
  readonly pageOffset: number;
  readonly instructions: readonly RegionInstruction[];
  /** page offset at which the straight line goes on; -1: the last instruction goes elsewhere */
  readonly next: number;
}

/** Page offset that a relative branch goes to, if that is within the page; else what is no page offset. */
export function branchTarget({ shapes, pageOffset, length, immediate }: RegionInstruction): number {
  if (shapes.at(-1)?.kind !== 'relative') return -1;
  return pageOffset + length + Number(BigInt.asIntN(32, immediate));
}
