import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SaxesParser, type SaxesTagPlain } from 'saxes';
import type { Finding } from '../../src/debug/check/finding.ts';
import { CHECK_FORMATS, type CheckReport } from '../../src/debug/check/formats/index.ts';
import type { Rule } from '../../src/debug/check/rule.ts';
import { sourcePlaces } from '../../src/debug/source-lines/source-places.ts';
import { sarifErrors } from './sarif-schema.ts';

const RULES: readonly Rule[] = [
  {
    id: 'stale-register-exposed',
    severity: 'error',
    title: 'A register is exposed that holds nothing the host was meant to see',
    source: { document: 'GHCI for Intel TDX 1.5', section: 'TDG.VP.VMCALL' },
    explanation: 'RCX names the registers that cross. What the guest did not put there for this call may be a secret.',
    remedy: 'Clear the register, or leave its bit in RCX 0.',
  },
  {
    id: 'wasteful',
    severity: 'note',
    title: 'A call could be saved',
    source: { document: 'None', section: 'None' },
    explanation: 'It costs time.',
    remedy: 'Keep the first answer.',
  },
  {
    id: 'status-ignored',
    severity: 'warning',
    title: 'R10 is not looked at',
    source: { document: 'GHCI for Intel TDX 1.5', section: 'TDG.VP.VMCALL' },
    explanation: 'The host may refuse.',
    remedy: 'Compare R10 with 0.',
  },
];

const STALE: Finding = {
  rule: 'stale-register-exposed',
  severity: 'error',
  message: 'RCX 0xfc00 exposes R12, which holds 0x1234 since before the call.',
  instructionCount: 812,
  vcpu: 0,
  rip: 0x20_0033n,
  symbol: '__tdx_hypercall+0x33',
  crossing: { kind: 'VMM call', name: 'MapGPA', rip: 0x20_0033n, status: 'TDG.VP.VMCALL_SUCCESS' },
  registers: ['r12'],
  gpa: 0x7000,
  times: 3,
};
const WASTE: Finding = {
  rule: 'wasteful',
  severity: 'note',
  message: 'TDG.VP.INFO was asked twice.',
  instructionCount: 900,
  vcpu: 1,
  rip: 0xffff_ffff_8100_0010n,
  times: 1,
};

const sources = sourcePlaces(
  (address) => (address === STALE.rip ? { file: '/src/linux/tdx call.S', line: 2, column: 5 } : undefined),
  (file) => (file === '/src/linux/tdx call.S' ? 'first:\n    tdcall # <&>\n' : undefined),
);
const report = (findings: readonly Finding[], more: Partial<CheckReport> = {}): CheckReport => ({
  version: '1.2.3',
  subject: 'build/tdcall.o',
  rules: RULES,
  findings,
  sources,
  directory: '/src/linux',
  ...more,
});

test('text has the line of source, and says file:line first as compilers do', () => {
  assert.equal(
    CHECK_FORMATS.text(report([STALE, WASTE])),
    `tdx call.S:2:5: error: RCX 0xfc00 exposes R12, which holds 0x1234 since before the call. [stale-register-exposed]
     2 |     tdcall # <&>
       at 0x200033 (__tdx_hypercall+0x33), VMM call MapGPA (TDG.VP.VMCALL_SUCCESS), registers r12, GPA 0x7000, vCPU 0 after 812 instructions, 3 times
       rule: A register is exposed that holds nothing the host was meant to see (GHCI for Intel TDX 1.5, "TDG.VP.VMCALL")
       Clear the register, or leave its bit in RCX 0.

0xffffffff81000010: note: TDG.VP.INFO was asked twice. [wasteful]
       at 0xffffffff81000010, vCPU 1 after 900 instructions
       rule: A call could be saved (None, "None")
       Keep the first answer.

1 error, 1 note; looked for 3 rules.
`,
  );
  assert.equal(CHECK_FORMATS.text(report([])), 'No finding; looked for 3 rules.\n');
});

describe('SARIF', () => {
  const logOf = (findings: readonly Finding[], more: Partial<CheckReport> = {}) =>
    JSON.parse(CHECK_FORMATS.sarif(report(findings, more)));

  test('keeps the schema, and the schema can refuse', () => {
    for (const findings of [[], [STALE], [STALE, WASTE]]) assert.deepEqual(sarifErrors(logOf(findings)), []);
    const wrong = logOf([STALE]);
    wrong.runs[0].results[0].level = 'fatal';
    assert.notDeepEqual(sarifErrors(wrong), []);
  });

  test('says rules with their help, levels, places in the source or in the object', () => {
    const [run] = logOf([STALE, WASTE]).runs;
    const { driver } = run.tool;
    assert.equal(driver.name, 'Seamulator');
    assert.equal(driver.semanticVersion, '1.2.3');
    assert.deepEqual(
      driver.rules.map(({ id, defaultConfiguration }: { id: string; defaultConfiguration: { level: string } }) => [
        id,
        defaultConfiguration.level,
      ]),
      [
        ['stale-register-exposed', 'error'],
        ['wasteful', 'note'],
        ['status-ignored', 'warning'],
      ],
    );
    assert.match(driver.rules[0].help.text, /may be a secret\.\n\nClear the register[\s\S]*"TDG\.VP\.VMCALL"/);
    const [stale, waste] = run.results;
    assert.equal(stale.ruleId, 'stale-register-exposed');
    assert.equal(stale.ruleIndex, 0);
    assert.equal(stale.level, 'error');
    assert.equal(stale.occurrenceCount, 3);
    assert.deepEqual(stale.locations[0], {
      physicalLocation: {
        artifactLocation: { uri: 'tdx%20call.S', uriBaseId: 'WORKDIR' },
        region: { startLine: 2, startColumn: 5, snippet: { text: '    tdcall # <&>' } },
      },
      logicalLocations: [{ name: '__tdx_hypercall', fullyQualifiedName: '__tdx_hypercall', kind: 'function' }],
    });
    assert.equal(run.originalUriBaseIds.WORKDIR.uri, 'file:///src/linux/');
    assert.equal(waste.ruleIndex, 1);
    const place = { artifactLocation: { uri: 'build/tdcall.o', uriBaseId: 'WORKDIR' } };
    assert.deepEqual(waste.locations, [{ physicalLocation: place }], 'an address that JSON cannot hold is left out');
    assert.equal(waste.properties.rip, '0xffffffff81000010');
    const [low] = logOf([{ ...WASTE, rip: 0x1000n }]).runs[0].results;
    assert.deepEqual(low.locations[0].physicalLocation.address, { absoluteAddress: 0x1000 });
  });

  test('names a file elsewhere by its whole address', () => {
    const [run] = logOf([STALE], { directory: '/home/me' }).runs;
    assert.deepEqual(run.results[0].locations[0].physicalLocation.artifactLocation, {
      uri: 'file:///src/linux/tdx%20call.S',
    });
  });
});

describe('JUnit', () => {
  interface Element {
    readonly name: string;
    readonly attributes: Readonly<Record<string, string>>;
    text: string;
  }
  /** The elements in the order of their starts. Throws where the text is no well-formed XML. */
  const elementsOf = (xml: string): Element[] => {
    const parser = new SaxesParser();
    const all: Element[] = [];
    const open: Element[] = [];
    parser.on('error', (error) => {
      throw error;
    });
    parser.on('opentag', ({ name, attributes }: SaxesTagPlain) => {
      const element = { name, attributes, text: '' };
      all.push(element);
      open.push(element);
    });
    parser.on('text', (text) => {
      const last = open.at(-1);
      if (last !== undefined) last.text += text;
    });
    parser.on('closetag', () => void open.pop());
    parser.write(xml).close();
    return all;
  };

  test('has a case for each rule, failed where it was broken; a note is no failure', () => {
    const elements = elementsOf(CHECK_FORMATS.junit(report([STALE, { ...STALE, rip: 0x20_0040n }, WASTE])));
    assert.deepEqual(
      elements.map(({ name, attributes }) => [name, attributes.name ?? attributes.type ?? '']),
      [
        ['testsuites', ''],
        ['testsuite', 'seamulator check build/tdcall.o'],
        ['testcase', 'stale-register-exposed'],
        ['failure', 'error'],
        ['testcase', 'wasteful'],
        ['system-out', ''],
        ['testcase', 'status-ignored'],
      ],
    );
    const counts = { tests: '3', failures: '1', errors: '0', skipped: '0' };
    assert.deepEqual({ ...elements[0]!.attributes }, counts);
    assert.equal(elements[3]!.attributes.message, STALE.message);
    assert.equal(elements[3]!.text.split(STALE.message).length, 3, 'both findings are there');
    assert.match(elements[3]!.text, /tdcall # <&>\n/);
    assert.match(elements[5]!.text, /asked twice/);
  });

  test('is well-formed whatever guests and paths are called', () => {
    const property = fc.property(fc.string({ unit: 'binary' }), fc.string(), (message, subject) => {
      const elements = elementsOf(CHECK_FORMATS.junit(report([{ ...STALE, message }], { subject })));
      assert.equal(elements.length, 6);
    });
    fc.assert(property);
    const strange = 'a\u0000b\ud800c]]>"\u001b[31m';
    const [, , , failure] = elementsOf(CHECK_FORMATS.junit(report([{ ...STALE, message: strange }])));
    assert.equal(failure!.attributes.message, 'a?b?c]]>"?[31m');
  });
});
