import assert from 'node:assert/strict';
import test from 'node:test';
import { type Constant, inlineConstants, isConstant } from '../tools/constants.ts';

const constants = new Map<string, Constant>([
  ['PAGE', 4096],
  ['NONE', -1],
  ['Leave', { Budget: 0, Host: 2 }],
]);

const cases: readonly [title: string, text: string, expected: string][] = [
  ['a member of a table', 'if (x === Leave.Host) y();', 'if (x === 2 /* Leave.Host */) y();'],
  ['a number', 'x = PAGE * 2;', 'x = 4096 /* PAGE */ * 2;'],
  ['a negative number', 'x = 1 -NONE;', 'x = 1 -(-1 /* NONE */);'],
  ['a method of a number', 's = Leave.Host.toString();', 's = (2 /* Leave.Host */).toString();'],
  ['a computed name', 'const rows = { [Leave.Host]: 1 };', 'const rows = { [2 /* Leave.Host */]: 1 };'],
  ['not a table as a whole', 'f(Leave, Leave[name]);', 'f(Leave, Leave[name]);'],
  ['not what a table has not', 'f(Leave.Other, Leave.toString());', 'f(Leave.Other, Leave.toString());'],
  ['not the names of members', 'x.PAGE = { PAGE: y.Leave.Host };', 'x.PAGE = { PAGE: y.Leave.Host };'],
  ['not a name that is declared again', 'function f(PAGE) { return PAGE; }', 'function f(PAGE) { return PAGE; }'],
  ['not a name in shorthand', 'f({ PAGE }, PAGE);', 'f({ PAGE }, PAGE);'],
  [
    'not imports and exports',
    "import { PAGE } from './a.js'; export { PAGE };",
    "import { PAGE } from './a.js'; export { PAGE };",
  ],
  ['not text', 'f("PAGE", `PAGE`); // PAGE', 'f("PAGE", `PAGE`); // PAGE'],
];

for (const [title, text, expected] of cases)
  test(`the build inlines constants: ${title}`, () => assert.equal(inlineConstants(text, constants), expected));

test('a constant is a whole number, or a table of nothing else, under a name in capitals', () => {
  assert.deepEqual(
    [
      ['A', 1],
      ['Table', { a: 1 }],
      ['a', 1],
      ['A', 1.5],
      ['A', -0],
      ['A', 1n],
      ['A', { a: 1, b: 'x' }],
      ['A', [1]],
      ['A', () => 1],
    ]
      .filter(([name, value]) => isConstant(name as string, value))
      .map(([name]) => name),
    ['A', 'Table'],
  );
});
