/** Rules of the contract checker: each with a guest that breaks it, and one that keeps it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONTRACT_TDS } from '../../guests/index.ts';
import { Checker, type Finding, RULES } from '../../src/debug/index.ts';
import type { Assembler } from '../../src/isa/index.ts';
import { observeAll } from '../../src/probe/index.ts';
import { startCase } from './case-run.ts';

function findings(program: (a: Assembler) => void, options: object): readonly Finding[] {
  const checker = new Checker({ rules: RULES });
  const run = startCase({ name: 'contract', wrong: '', program, ...options }, (observer) =>
    observeAll(observer, checker.observer),
  );
  checker.attach(run.platform, run.td);
  run.td.run({ instructions: 100_000 });
  checker.end();
  return checker.findings;
}

describe('rules over the crossings of a TD', () => {
  for (const { rule, breaks, keeps, ...options } of CONTRACT_TDS) {
    test(`${rule}: broken`, () => {
      const found = findings(breaks, options);
      assert.deepEqual([...new Set(found.map((each) => each.rule))], [rule]);
      assert.match(found[0]!.message, /^[A-Z#].*\.$/);
    });
    test(`${rule}: kept`, () => assert.deepEqual(findings(keeps, options), []));
  }
});
