/** Rules of the contract checker: each with a guest that breaks it, and one that keeps it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONTRACT_HELPERS, CONTRACT_TDS, HELPER, helper } from '../../guests/index.ts';
import { Checker, checkFunction, type Finding, RULES } from '../../src/debug/index.ts';
import { Assembler } from '../../src/isa/index.ts';
import { observeAll } from '../../src/probe/index.ts';
import { startCase } from './case-run.ts';

const CROSSING_RULES = RULES.filter(({ id }) => CONTRACT_TDS.some(({ rule }) => rule === id));

function findings(program: (a: Assembler) => void, options: object): readonly Finding[] {
  const checker = new Checker({ rules: CROSSING_RULES });
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

type Parts = Parameters<typeof helper>[1];

/** the helper that keeps all rules is that of several */
const known = new Map<Parts, readonly Finding[]>();

function helperFindings(parts: Parts, words: readonly bigint[]): readonly Finding[] {
  const found = known.get(parts) ?? findHelper(parts, words);
  known.set(parts, found);
  return found;
}

function findHelper(parts: Parts, words: readonly bigint[]): readonly Finding[] {
  const a = new Assembler({ origin: 0x20_0000 });
  helper(a, parts);
  const { bytes, symbols } = a.assemble();
  const object = { pieces: [{ startGpa: 0x20_0000, content: bytes }], symbols, sections: new Map<string, number>() };
  const structure = { name: 'registers', bytes: new Uint8Array(new BigUint64Array(words).buffer) };
  return checkFunction({ object, symbol: HELPER, args: [structure] }).findings;
}

describe('rules over the instructions of a helper', () => {
  for (const { rule, words, breaks, keeps } of CONTRACT_HELPERS) {
    test(`${rule}: broken`, () => {
      const found = helperFindings(breaks, words);
      assert.deepEqual([...new Set(found.map((each) => each.rule))], [rule]);
      assert.match(found[0]!.message, /^[A-Z].*\.$/);
    });
    test(`${rule}: kept`, () => assert.deepEqual(helperFindings(keeps, words), []));
  }
});

test('each rule has a guest that breaks it and one that keeps it, an id of its own, and says where it comes from', () => {
  const ids = RULES.map(({ id }) => id);
  assert.deepEqual([...CONTRACT_HELPERS, ...CONTRACT_TDS].map(({ rule }) => rule).sort(), [...ids].sort());
  assert.equal(new Set(ids).size, ids.length);
  for (const { id, title, explanation, remedy, source } of RULES) {
    assert.match(id, /^[a-z]+(-[a-z]+)*$/);
    assert.match(title, /^[A-Z#].*[^.]$/, id);
    for (const sentence of [explanation, remedy]) assert.match(sentence, /^[A-Z].*\.$/, id);
    assert.ok(source.document !== '' && source.section !== '', id);
  }
});
