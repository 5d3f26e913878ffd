/** `seamulator check` and `--check` as a person types them, on a helper that gcc assembles. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { root } from '../repository.ts';
import { sarifErrors } from './sarif-schema.ts';

/** Exposes RBX, which holds its caller's value, and does not look at RAX. */
const SOURCE = `.globl write_byte
write_byte:
  push %r12; push %r13; push %r14; push %r15
  mov %rdi, %r15
  xor %r10d, %r10d
  mov $0x1e, %r11d
  mov $1, %r12d
  mov $1, %r13d
  mov $0x3f8, %r14d
  mov $0xfc08, %ecx
  xor %eax, %eax
  tdcall
  mov %r10, %rax
  xor %r10d, %r10d
  xor %r11d, %r11d
  pop %r15; pop %r14; pop %r13; pop %r12
  ret
`;

describe('seamulator check', () => {
  const directory = mkdtempSync(join(tmpdir(), 'seamulator-'));
  const object = join(directory, 'write.o');
  const source = join(directory, 'write.S');
  let skip = '';
  before(() => {
    writeFileSync(source, SOURCE);
    if (spawnSync('gcc', ['-m64', '-g', '-c', '-o', object, source]).status !== 0) skip = 'no gcc for x86-64 here';
  });
  after(() => rmSync(directory, { recursive: true }));
  const seamulator = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'bin/seamulator'), ...args], { encoding: 'utf8', cwd: directory });

  test('says what is wrong, with the line of source, and exits with 5', (t) => {
    if (skip !== '') return t.skip(skip);
    const { status, stdout, stderr } = seamulator('check', 'write.o', 'write_byte', '--arg', '65');
    assert.equal(stderr, '');
    assert.equal(status, 5);
    assert.match(stdout, /^write_byte\(0x41\)\n {2}an honest host {2,}returned 0x0\n/);
    assert.match(
      stdout,
      /write\.S:12(:\d+)?: error: RCX 0xfc08 exposes RBX, which holds its caller's value, 0xc0de\w+\. \[stale-register-exposed\]\n +12 \| +tdcall\n/,
    );
    assert.match(stdout, /write\.S:12(:\d+)?: error: RAX of Instruction\.IO, .* \[mechanism-status-ignored\]/);
  });

  test('holds it against some rules, in another format', (t) => {
    if (skip !== '') return t.skip(skip);
    const json = join(directory, 'check.json');
    const rules = ['--rules', 'bare-trap,stale-register-exposed'];
    const { status, stdout } = seamulator('check', 'write.o', ...rules, '--format', 'sarif', '--json', json);
    assert.equal(status, 5);
    const log = JSON.parse(stdout);
    assert.deepEqual(sarifErrors(log), []);
    const [run] = log.runs;
    assert.deepEqual(
      run.results.map(({ ruleId }: { ruleId: string }) => ruleId),
      ['stale-register-exposed'],
    );
    const [checked] = JSON.parse(readFileSync(json, 'utf8')).functions;
    assert.equal(checked.name, 'write_byte');
    assert.equal(checked.trials.length, 4);
  });

  test('exec --check writes a report beside its own words', (t) => {
    if (skip !== '') return t.skip(skip);
    const report = join(directory, 'report.xml');
    const { status, stdout, stderr } = seamulator(
      ...['exec', 'write.o', 'write_byte', '--arg', '65', '--check', '--check-report', report],
    );
    assert.equal(status, 5);
    assert.match(stdout, /returned 0x0\n$/);
    assert.match(stderr, /exposes RBX/);
    assert.match(readFileSync(report, 'utf8'), /<testcase classname="write.o" name="stale-register-exposed"><failure/);
    assert.equal(seamulator('exec', 'write.o', 'write_byte', '--check', 'bare-trap').status, 0);
  });

  test('explains its rules', () => {
    const one = seamulator('check', '--explain', 'hlt-interrupt-rule');
    assert.match(
      one.stdout,
      /^hlt-interrupt-rule \(warning\)\n[\s\S]*Source: .*"TDG\.VP\.VMCALL<Instruction\.HLT>"\n$/,
    );
    assert.match(seamulator('check', '--explain').stdout, /^bare-trap +error +/m);
  });

  test('complains in one sentence', () => {
    const cases: readonly (readonly [status: number, complaint: RegExp, ...args: string[]])[] = [
      [1, /There is no rule nothing; /, 'check', '--explain', 'nothing'],
      [1, /There is no rule nothing; /, 'check', 'write.o', '--rules', 'nothing'],
      [1, /Give an object to check/, 'check'],
      [3, /nowhere\.o/, 'check', 'nowhere.o'],
      [1, /give --check as well/, 'exec', 'write.o', 'write_byte', '--check-report', 'a.sarif'],
      [1, /cannot be had in one run/, 'exec', 'write.o', 'write_byte', '--check', '--gdb', '0'],
    ];
    for (const [status, complaint, ...args] of cases) {
      const run = seamulator(...args);
      assert.match(run.stderr, complaint);
      assert.equal(run.status, status, args.join(' '));
    }
  });
});
