/** Pages by state, as an observer counts them, against what the module itself says. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { CASES } from '../../guests/index.ts';
import { PageCounts } from '../../src/debug/index.ts';
import { observeAll } from '../../src/probe/index.ts';
import { caseRun } from './case-run.ts';

test('MapGPA splits a large page: the counts stay those of the Secure EPT', () => {
  const guest = CASES.find(({ name }) => name === 'map-gpa-retry-ignored')!;
  const pages = new PageCounts();
  const { platform, td } = caseRun(guest, (observer) => observeAll(observer, pages));
  const counts = Object.fromEntries(pages.counts());
  const states = new Map<string, number>();
  for (let gpa = 0; gpa < platform.memory.ramBytes; gpa += 4096) {
    const last = platform.module.secureEptWalk(td.host.tdrHpa, gpa).at(-1);
    if (last === undefined || last.level > 1 || last.state === 'FREE') continue;
    states.set(last.state, (states.get(last.state) ?? 0) + 1);
  }
  const { shared, ...priv } = counts;
  assert.equal(shared, 2);
  // the ROM of the shim is above all RAM
  assert.deepEqual(priv, { ...Object.fromEntries(states), MAPPED: states.get('MAPPED')! + 16 });
});
