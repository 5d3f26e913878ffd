/** PAUSE: nothing a program can see, but whoever spins gives his time to those he spins for. */
import type { OperationTable } from '../sem.ts';

export const pauseOperations: OperationTable = { PAUSE: { host: (cpu) => cpu.pause() } };
