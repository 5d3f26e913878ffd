/** `seamulator exec` as a person types it, on our own two calls compiled nowhere: a small object of the machine's gcc. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { root } from '../repository.ts';

const SOURCE = `
extern void panic(const char *text);
long sum(long *words, long count) { long all = 0; for (long i = 0; i < count; i++) { all += words[i]; words[i] = -1; } return all; }
void give_up(void) { panic("enough"); }
void forever(void) { for (;;) __asm__ volatile("pause"); }
void trap(void) { __builtin_trap(); }
long lost(void) { return *(volatile long *)0xfed00000; }
long vp_info(void) { long rax = 1; __asm__ volatile(".byte 0x66,0x0f,0x01,0xcc" : "+a"(rax) : : "rcx","rdx","r8","r9","r10","r11"); return rax; }
`;

describe('seamulator exec', () => {
  const directory = mkdtempSync(join(tmpdir(), 'seamulator-'));
  const object = join(directory, 'f.o');
  let skip = '';
  before(() => {
    writeFileSync(join(directory, 'f.c'), SOURCE);
    const options = [
      '-m64',
      '-O1',
      '-ffreestanding',
      '-mno-sse',
      '-mno-red-zone',
      '-fno-pic',
      '-mcmodel=kernel',
      '-w',
      '-g',
      '-c',
    ];
    const { status } = spawnSync('gcc', [...options, '-o', object, join(directory, 'f.c')]);
    if (status !== 0) skip = 'no gcc for x86-64 here';
  });
  after(() => rmSync(directory, { recursive: true }));
  const exec = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'bin/seamulator'), 'exec', ...args], { encoding: 'utf8' });

  test('a structure goes by address and is shown with what changed', (t) => {
    if (skip !== '') return t.skip(skip);
    const json = join(directory, 'result.json');
    const { status, stdout } = exec(object, 'sum', '--arg', 'words={40,2}', '--arg', '2', '--json', json);
    assert.equal(status, 0);
    assert.match(stdout, /\+0x08 {2}0xffffffffffffffff {2}\(was 0x2\)/);
    assert.match(stdout, /returned 0x2a\n$/);
    assert.equal(JSON.parse(readFileSync(json, 'utf8')).outcome.rax, '0x2a');
  });

  test('crossings have names', (t) => {
    if (skip !== '') return t.skip(skip);
    const { status, stdout } = exec(object, 'vp_info');
    assert.equal(status, 0);
    assert.match(stdout, /the module answers TDG\.VP\.INFO.*TDX_SUCCESS/);
  });

  test('a trace of a function has its symbol; two traces are compared', (t) => {
    if (skip !== '') return t.skip(skip);
    const [a, b, c] = ['a.ndjson', 'b.ndjson', 'c.json'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    assert.equal(exec(object, 'vp_info', '--trace', a, '--trace-filter', 'leaf=TDG.VP.INFO').status, 0);
    const lines = readFileSync(a, 'utf8').trimEnd().split('\n');
    assert.equal(lines.length, 1);
    assert.match(JSON.parse(lines[0]!).symbol, /^vp_info\+0x/);

    exec(object, 'vp_info', '--trace', b);
    exec(object, 'vp_info', '--trace', c);
    const trace = (...args: string[]) =>
      spawnSync(process.execPath, [join(root, 'bin/seamulator'), 'trace', ...args], { encoding: 'utf8' });
    const same = trace('diff', b, c);
    assert.deepEqual([same.status, same.stdout], [0, '']);
    const different = trace('diff', a, b);
    assert.equal(different.status, 5);
    assert.match(different.stdout, /^Crossing 0 is the first that differs: /);
    assert.match(trace('summary', b).stdout, /TDG\.MEM\.PAGE\.ACCEPT/);
    assert.match(trace('picture', c).stdout, /^<svg /);
    assert.equal(trace('summary', join(directory, 'f.c')).status, 3);
    assert.equal(exec(object, 'vp_info', '--trace', join(directory, 'a.txt')).status, 1);
    assert.equal(exec(object, 'vp_info', '--trace', a, '--trace-filter', 'nonsense').status, 1);
  });

  test('a function that ends its TD has the report of a death', (t) => {
    if (skip !== '') return t.skip(skip);
    const json = join(directory, 'death.json');
    const { status, stderr } = exec(object, 'lost', '--json', json);
    assert.equal(status, 2);
    assert.match(stderr, /The TD died\. The guest used private address 0xfed00000, where it has no memory\.\n/);
    const { death } = JSON.parse(readFileSync(json, 'utf8'));
    assert.equal(death.id, 'no-memory-there');
    assert.match(death.symbol, /^lost\+0x/);
    const text = SOURCE.split('\n')[6]!;
    assert.deepEqual(death.source, { file: join(directory, 'f.c'), line: 7, text });
    assert.ok(stderr.includes(`${join(directory, 'f.c')}:7  ${text}\n`), 'the line stands above its instructions');
    assert.match(stderr, /vCPU 0 at 0x[0-9a-f]+ \(lost\+0x[0-9a-f]+\), \S+f\.c:7, 64-bit code/);
  });

  test('exit codes tell how it ended', (t) => {
    if (skip !== '') return t.skip(skip);
    const gaveUp = exec(object, 'give_up');
    assert.equal(gaveUp.status, 2);
    assert.match(gaveUp.stdout, /called panic from 0x[0-9a-f]+ \(give_up\+0x[0-9a-f]+, \S+f\.c:4\): it gave up/);
    const trapped = exec(object, 'trap');
    assert.equal(trapped.status, 2);
    assert.match(trapped.stdout, /exception #UD, error code 0x0, RIP 0x[0-9a-f]+ \(trap\+0x[0-9a-f]+, \S+f\.c:6\)/);
    assert.equal(exec(object, 'forever', '--max-instructions', '10K').status, 4);
    assert.equal(exec(object, 'nosuch').status, 3);
    assert.equal(exec(join(directory, 'none.o'), 'sum').status, 3);
    assert.equal(exec(object, 'sum', '--arg', 'words').status, 1);
  });
});
