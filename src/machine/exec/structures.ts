/** Places the structures that a function gets pointers to. */
import { LoadError, type Piece } from '../../loader/index.ts';
import type { FunctionArgument, StructureArgument } from './function-call.ts';
import { ExecLayout } from './launcher.ts';

const ALIGNMENT = 64;

export interface PlacedStructures {
  readonly all: readonly StructureArgument[];
  readonly addressOf: ReadonlyMap<StructureArgument, number>;
  readonly pieces: readonly Piece[];
}

export function placeStructures(args: readonly FunctionArgument[]): PlacedStructures {
  const all = args.filter((arg) => typeof arg !== 'bigint');
  const addressOf = new Map<StructureArgument, number>();
  let next: number = ExecLayout.structures;
  for (const structure of all) {
    addressOf.set(structure, next);
    next += Math.ceil(structure.bytes.length / ALIGNMENT) * ALIGNMENT;
  }
  if (next > ExecLayout.structuresEnd)
    throw new LoadError(
      `the structures have ${next - ExecLayout.structures} bytes in all, there is room for ${ExecLayout.structuresEnd - ExecLayout.structures}: make them smaller`,
    );
  return { all, addressOf, pieces: all.map((one) => ({ startGpa: addressOf.get(one)!, content: one.bytes })) };
}
