/** The thread that compiles for a run. */
import { RegionThread } from '../node/index.ts';
import type { Output } from './output.ts';

/** If it dies the run goes on without it, and says so once. */
export function compilingThread(output: Output): RegionThread {
  return new RegionThread((reason) =>
    output.always(`The thread that compiles is gone (${reason}): the run goes on, slower, with what is compiled.`),
  );
}
