/** Only Linux knows priorities of threads (setpriority(2), "C library/kernel differences"); elsewhere they belong to the process. */
import { getPriority, setPriority } from 'node:os';

const LESS_BY = 10;
const LEAST = 19;

/** The calling thread takes the time that the others leave. */
export function stepBack(): void {
  if (process.platform === 'linux') setPriority(Math.min(getPriority() + LESS_BY, LEAST));
}
