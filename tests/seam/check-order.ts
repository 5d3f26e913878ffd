/** Order of checks: when several operands are wrong, the status is that of the first check that fails. */
import assert from 'node:assert/strict';

/** One way to be wrong, in the order in which the leaf looks. */
export interface Fault<Operands> {
  readonly what: string;
  readonly spoil: (operands: Operands) => Operands;
  /** as `attempt` tells it */
  readonly status: bigint;
}

/** Each fault alone has its status; and of any that come together, the first one's is given. */
export function assertOrder<Operands>(
  good: Operands,
  faults: readonly Fault<Operands>[],
  attempt: (operands: Operands) => bigint,
): void {
  let operands = good;
  for (const { what, spoil, status } of [...faults].reverse()) {
    assert.equal(attempt(spoil(good)).toString(16), status.toString(16), `${what} alone`);
    operands = spoil(operands);
    assert.equal(attempt(operands).toString(16), status.toString(16), `${what} comes before what follows it`);
  }
}
