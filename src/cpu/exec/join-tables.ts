import type { OperationTable } from './sem.ts';

/**
 * One table of several; where a name comes twice, the last one counts. An object without a prototype is a dictionary from its first name on:
 * of any other V8 makes a new shape for each name, which is a thousand times before it gives up.
 */
export function joinTables(...tables: readonly OperationTable[]): OperationTable {
  return Object.assign(Object.create(null), ...tables);
}
