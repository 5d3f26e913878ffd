/** A run in slices, for those who want to do something in between: a debugger that may hold it up, a snapshot. */

import { setImmediate } from 'node:timers/promises';
import type { RunControl } from '../debug/index.ts';
import type { Td, TdEnd } from '../machine/index.ts';
import type { Output } from './output.ts';
import { noSnapshot, type WantedSnapshot } from './snapshot-options.ts';

/** Instructions between two looks at what gdb says. */
const sliceInstructions = 1_000_000;
/** and between two tries to make a snapshot that could not be made */
const retryInstructions = 1000;

export interface SlicedRunOptions {
  readonly maxInstructions: number;
  readonly control?: RunControl | undefined;
  readonly snapshot?: WantedSnapshot | undefined;
  readonly output?: Output;
  /** that the run has behind it, before it was kept in a snapshot */
  readonly instructionsBefore?: number;
}

/** Runs a TD until it ends or has done so many instructions. */
export async function runInSlices(td: Td, options: SlicedRunOptions): Promise<TdEnd> {
  const { maxInstructions, control, output, instructionsBefore = 0 } = options;
  let { snapshot } = options;
  let whyNoSnapshot: string | undefined;
  for (let instructions = 0; ; ) {
    await control?.mayRun();
    const toSnapshot = momentOf(snapshot) - instructionsBefore - instructions;
    const untilSnapshot = toSnapshot > 0 ? toSnapshot : retryInstructions;
    const slice = Math.min(sliceInstructions, maxInstructions - instructions, untilSnapshot);
    const run = td.run({ instructions: slice });
    instructions += run.instructions;
    await setImmediate();
    if (control?.ran(run.end)) continue;
    const done = instructionsBefore + instructions;
    if (snapshot !== undefined && done >= momentOf(snapshot)) {
      whyNoSnapshot = await snapshot.take(done, false);
      if (whyNoSnapshot === undefined) {
        snapshot = undefined;
        output?.note(`The run is kept after ${done} instructions.`);
      }
    }
    if (run.end.cause === 'instruction-limit' && instructions < maxInstructions) continue;
    if (await control?.ended(run.end)) continue;
    if (snapshot !== undefined) output?.always(noSnapshot(done, whyNoSnapshot));
    return run.end;
  }
}

/** A mark on the console has no number: it never comes. */
function momentOf(snapshot: WantedSnapshot | undefined): number {
  return typeof snapshot?.at === 'number' ? snapshot.at : Number.POSITIVE_INFINITY;
}
