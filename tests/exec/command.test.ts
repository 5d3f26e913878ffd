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

  test('exit codes tell how it ended', (t) => {
    if (skip !== '') return t.skip(skip);
    assert.equal(exec(object, 'give_up').status, 2);
    assert.equal(exec(object, 'forever', '--max-instructions', '10K').status, 4);
    assert.equal(exec(object, 'nosuch').status, 3);
    assert.equal(exec(join(directory, 'none.o'), 'sum').status, 3);
    assert.equal(exec(object, 'sum', '--arg', 'words').status, 1);
  });
});
