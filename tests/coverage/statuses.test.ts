/**
 * Does some test reach every status that a leaf can give? The tests of the leaves run once more, in this process, and what they were
 * given is compared with what the source of each leaf names.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../seam/every-seamcall.test.ts';
import '../seam/lifecycle-seamcalls.test.ts';
import '../seam/memory-seamcalls.test.ts';
import '../seam/memory.test.ts';
import '../seam/service-td.test.ts';
import '../seam/system-seamcalls.test.ts';
import '../seam/td-build.test.ts';
import '../seam/tdcall-contention.test.ts';
import '../seam/tdcall-metadata.test.ts';
import '../seam/tdcall-others.test.ts';
import '../seam/tdcall-pages.test.ts';
import '../seam/tdcall.test.ts';
import '../seam/topology.test.ts';
import { SEAMCALL_ROWS, TDCALL_ROWS } from '../../src/seam/index.ts';
import { observedStatuses } from '../seam/observed-statuses.ts';
import { seamcallStatuses, tdcallStatuses } from './leaf-statuses.ts';

/** Statuses that no caller can be given, and why. */
const OUT_OF_REACH: ReadonlyMap<string, string> = new Map([
  ['TDG.SYS.RDALL METADATA_LIST_OVERFLOW', 'what a guest may read fits into a page'],
  ['TDH.SYS.RDALL METADATA_LIST_OVERFLOW', 'so does what a host may read'],
  ['TDH.SERVTD.BIND SERVTD_TYPE_MISMATCH', 'there is one type of service TD'],
]);

/** A status with its operand, or one whose operand the source does not name. */
const isObserved = (status: string) =>
  observedStatuses.has(status) ||
  (/ (?:OPERAND_INVALID|PAGE_METADATA_INCORRECT)$/.test(status) &&
    [...observedStatuses].some((seen) => seen.startsWith(`${status} `)));

test('every status that a leaf can give is reached by a test', () => {
  const expected = [
    ...TDCALL_ROWS.flatMap((row) => [...tdcallStatuses(row)].map((status) => `${row.name} ${status}`)),
    ...SEAMCALL_ROWS.flatMap((row) => [...seamcallStatuses(row)].map((status) => `${row.name} ${status}`)),
  ];
  assert.ok(expected.length > 400, `${expected.length} statuses`);
  assert.deepEqual(
    expected.filter((status) => !isObserved(status) && !OUT_OF_REACH.has(status)),
    [],
  );
  for (const status of OUT_OF_REACH.keys())
    assert.ok(expected.includes(status) && !isObserved(status), `${status} is reached, or no status of its leaf`);
});
