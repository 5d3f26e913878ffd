/** Snapshots, recordings and replays as a person types them, on guests of a few instructions. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openSnapshot } from '../../src/node/index.ts';
import { root } from '../repository.ts';
import { tinyKernel } from './tiny-kernel.ts';

const directory = mkdtempSync(join(tmpdir(), 'seamulator-kept-'));
const path = (name: string): string => join(directory, name);
after(() => rmSync(directory, { recursive: true }));
const LONGEST_MS = 60_000;

function seamulator(...args: string[]) {
  const options = { encoding: 'utf8', cwd: directory, timeout: LONGEST_MS } as const;
  return spawnSync(process.execPath, [join(root, 'bin/seamulator'), ...args], options);
}

/** cpio's magic, and an end that nobody reads. */
const INITRD = Buffer.from(`070701${'0'.repeat(200)}`);
const GUEST = ['--kernel', 'tiny.elf', '--initrd', 'initrd', '--memory', '16M', '--quiet'];
const KEYS = [
  { keys: [...Buffer.from('gab')], at: 0 },
  { keys: [...Buffer.from('hq')], at: 300_000 },
];
const OTHER_PLATFORM = [
  '--vmm',
  'hyperv-like',
  '--tdx-module',
  '2.0',
  '--seed',
  '7',
  '--cpu',
  'spr',
  '--vcpus',
  '3',
  '--debug-td',
];

before(() => {
  writeFileSync(path('tiny.elf'), tinyKernel());
  writeFileSync(path('initrd'), INITRD);
  writeFileSync(path('keys'), KEYS.map((one) => `${JSON.stringify(one)}\n`).join(''));
});

describe('boot', () => {
  test('--snapshot-at marker and resume: every option that shapes the run is kept', async () => {
    const usual = seamulator('boot', ...GUEST, '--replay', 'keys');
    assert.equal(usual.status, 0, usual.stderr);
    assert.match(usual.stdout, /^tiny\n[A-P]{5}\nbcibye\n$/);
    const whole = seamulator('boot', ...GUEST, ...OTHER_PLATFORM, '--replay', 'keys');
    assert.match(whole.stdout, /^tiny\n[A-P]{5}\nbcibye\n$/);
    for (let letter = 5; letter < 10; letter++)
      assert.notEqual(whole.stdout[letter], usual.stdout[letter], `the options do not show in letter ${letter - 5}`);

    const kept = seamulator('boot', ...GUEST, ...OTHER_PLATFORM, '--snapshot-at', 'marker', '--snapshot', 'tiny.snap');
    assert.deepEqual([kept.status, kept.stdout], [0, 'tiny\n']);
    const { head } = await openSnapshot(path('tiny.snap'));
    const { memoryBytes, ...platform } = head.about.platform;
    assert.equal(memoryBytes, 16 << 20);
    assert.deepEqual(platform, { seed: 7, cpu: 'spr', tdxModule: '2.0', vmm: 'hyperv-like', quoteVersion: 4 });

    const resumed = seamulator('resume', 'tiny.snap', '--replay', 'keys');
    assert.equal(resumed.status, 0, resumed.stderr);
    assert.equal(`tiny\n${resumed.stdout}`, whole.stdout);
    assert.match(resumed.stderr, /Resuming seamulator boot --kernel tiny\.elf .* --debug-td/);
  });

  test('--snapshot-at a number of instructions: the run goes on to its end, and once more from there', () => {
    const whole = seamulator(
      'boot',
      ...GUEST,
      '--replay',
      'keys',
      '--snapshot-at',
      '100K',
      '--snapshot',
      'number.snap',
    );
    assert.equal(whole.status, 0, whole.stderr);
    writeFileSync(path('rest'), '{"keys":[104,113],"at":0}\n'); // what had been typed before is in the serial port already
    const resumed = seamulator('resume', 'number.snap', '--replay', 'rest', '--json', 'resumed.json', '--quiet');
    assert.equal(resumed.status, 0, resumed.stderr);
    assert.ok(whole.stdout.endsWith(resumed.stdout) && resumed.stdout.endsWith('bye\n'));
    assert.equal(JSON.parse(readFileSync(path('resumed.json'), 'utf8')).end.cause, 'power-off');
  });

  test('a snapshot that could not be made is missed', () => {
    const { status, stderr } = seamulator(
      'boot',
      ...GUEST,
      '--replay',
      'keys',
      '--snapshot-at',
      '5G',
      '--snapshot',
      'no.snap',
    );
    assert.equal(status, 0);
    assert.match(stderr, /No snapshot was made in \d+ instructions: the run was over before\.\n/);
    for (const half of [
      ['--snapshot', 'no.snap'],
      ['--snapshot-at', 'marker'],
    ]) {
      const alone = seamulator('boot', ...GUEST, ...half);
      assert.deepEqual([alone.status, /give both/.test(alone.stderr)], [1, true]);
    }
    const nowhere = seamulator('boot', ...GUEST, '--snapshot-at', 'marker', '--snapshot', 'none/no.snap');
    assert.equal(nowhere.status, 3);
    assert.match(nowhere.stderr, /^seamulator: Cannot write the snapshot none\/no\.snap: .*\n$/m);
    assert.equal(seamulator('boot', ...GUEST, '--snapshot-at', 'noon', '--snapshot', 'no.snap').status, 1);
  });

  test('resume refuses what it cannot use, with one sentence and the exit code of a bad file', () => {
    const made = seamulator('boot', ...GUEST, '--snapshot-at', 'marker', '--snapshot', 'good.snap');
    assert.equal(made.status, 0, made.stderr);
    const good = readFileSync(path('good.snap'));
    const refused = (name: string, sentence: RegExp, args: string[] = []): void => {
      const { status, stdout, stderr } = seamulator('resume', name, ...args);
      assert.match(stderr, sentence);
      assert.deepEqual([status, stdout, stderr.trimEnd().split('\n').length], [3, '', 1], stderr);
    };
    const damaged = (name: string, change: (copy: Buffer) => Uint8Array): string => {
      writeFileSync(path(name), change(Buffer.from(good)));
      return name;
    };
    refused('none.snap', /^seamulator: Cannot read the snapshot none\.snap: /);
    refused(
      damaged('a.snap', (copy) => copy.fill(0, 0, 8)),
      /The snapshot a\.snap cannot be used: it is no snapshot\.$/m,
    );
    refused(
      damaged('b.snap', (copy) => copy.subarray(0, 20)),
      /it is no snapshot\.$/m,
    );
    refused(
      damaged('c.snap', (copy) => copy.subarray(0, 9000)),
      /it is cut short\.$/m,
    );
    refused(
      damaged('d.snap', (copy) => copy.subarray(0, copy.length - 1)),
      /it is cut short\.$/m,
    );
    refused(
      damaged('e.snap', (copy) => copy.fill(0x20, 100, 110)),
      /its head is damaged\.$/m,
    );
    refused(
      damaged('f.snap', (copy) => copy.fill(77, 8, 9)),
      /it has format 77, and this version of Seamulator reads format \d+\.$/m,
    );
    refused(
      damaged('g.snap', (copy) => copy.fill(0xff, 16, 20)),
      /it is cut short\.$/m,
    );
    refused('good.snap', /^seamulator: Line 1 of tiny\.elf is no recorded input\.$/m, [
      '--replay',
      'tiny.elf',
      '--quiet',
    ]);

    writeFileSync(path('tiny.elf'), Buffer.concat([tinyKernel(), Buffer.of(0)]));
    refused('good.snap', /made with another kernel: tiny\.elf had SHA-256 [0-9a-f]{64} and has [0-9a-f]{64}\.$/m);
    writeFileSync(path('tiny.elf'), tinyKernel());
    const typed = seamulator('resume', 'good.snap', '--exec', 'true', '--max-instructions', '1M');
    assert.equal(typed.status, 4, 'a shell that is none never answers');
    assert.equal(seamulator('resume', 'good.snap', '--replay', 'keys', '--quiet').status, 0);
  });

  test('--record writes what is typed on a terminal; --replay lives it again, to the same instruction', async (context) => {
    const typed = await onTerminal(['boot', ...GUEST, '--record', 'typed', '--json', 'typed.json'], 'tiny', [
      'g',
      'ab',
      'q',
    ]);
    if (typeof typed === 'string') return context.skip(typed);
    assert.equal(typed.status, 0, typed.text);
    const screen = typed.text.replaceAll('\r', '');
    assert.match(screen, /tiny\n[A-P]{5}\nbcbye\n/);
    const recorded = readFileSync(path('typed'), 'utf8');
    const keys = recorded
      .trimEnd()
      .split('\n')
      .flatMap((line) => JSON.parse(line).keys ?? []);
    assert.equal(Buffer.from(keys).toString(), 'gabq');

    const again = seamulator('boot', ...GUEST, '--replay', 'typed', '--record', 'again', '--json', 'again.json');
    assert.equal(again.status, 0, again.stderr);
    assert.ok(screen.includes(again.stdout));
    assert.equal(readFileSync(path('again'), 'utf8'), recorded);
    const report = (name: string) => JSON.parse(readFileSync(path(name), 'utf8'));
    for (const field of ['instructionsRetired', 'virtualNanoseconds', 'mrtd', 'end'])
      assert.deepEqual(report('again.json')[field], report('typed.json')[field], field);
  });

  test('a recording of another run is typed as far as it goes; a bad one is refused', () => {
    writeFileSync(path('odd'), '{"keys":[103,113],"at":12345}\n');
    assert.equal(seamulator('boot', ...GUEST, '--replay', 'odd').status, 0);
    for (const text of ['{"keys":["q"],"at":1}\n', '{"at":1}\n', 'q\n', '{"keys":[1]}\n']) {
      writeFileSync(path('bad'), text);
      const { status, stderr } = seamulator('boot', ...GUEST, '--replay', 'bad');
      assert.deepEqual([status, stderr.includes('seamulator: Line 1 of bad is no recorded input.\n')], [3, true], text);
    }
    assert.equal(seamulator('boot', ...GUEST, '--replay', 'nothing').status, 3);
  });
});

/** Runs the command on a terminal of script(1); types each text when the screen has changed since the last. A sentence where there is no script. */
async function onTerminal(
  args: string[],
  start: string,
  texts: string[],
): Promise<{ status: number; text: string } | string> {
  const command = [process.execPath, join(root, 'bin/seamulator'), ...args].map((word) => `'${word}'`).join(' ');
  if (spawnSync('script', ['--version']).error !== undefined) return 'no script(1) here, to have a terminal';
  const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: directory, stdio: ['pipe', 'pipe', 'inherit'] });
  const timer = setTimeout(() => child.kill(), LONGEST_MS);
  let text = '';
  let seen = 0;
  child.stdout.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
    if (!text.includes(start) || text.length === seen) return;
    seen = text.length;
    const next = texts.shift();
    if (next !== undefined) setTimeout(() => child.stdin.write(next), 200);
  });
  const status = await new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? -1)));
  clearTimeout(timer);
  return { status, text };
}

describe('exec', () => {
  const SOURCE = `
static long info(void) { long rax = 1; __asm__ volatile(".byte 0x66,0x0f,0x01,0xcc" : "+a"(rax) : : "rcx","rdx","r8","r9","r10","r11"); return rax; }
long slow(long *words) {
  info();
  for (long i = 0; i < 100000; i++) { words[1] += i; __asm__ volatile("" : : : "memory"); }
  info();
  words[0] = 7;
  return words[1];
}
`;
  const CALL = ['slow.o', 'slow', '--arg', 'words={0,0}'];
  let skip = '';
  before(() => {
    writeFileSync(path('slow.c'), SOURCE);
    const { status } = spawnSync(
      'gcc',
      ['-m64', '-O1', '-g', '-ffreestanding', '-mno-sse', '-mno-red-zone', '-fno-pic', '-c', 'slow.c'],
      { cwd: directory },
    );
    if (status !== 0) skip = 'no gcc for x86-64 here';
  });

  test('--snapshot-at: the function goes on from the file to the same end, with what it had done before', (context) => {
    if (skip !== '') return context.skip(skip);
    const whole = seamulator('exec', ...CALL, '--host', 'garbage', '--vmm', 'strict');
    assert.match(whole.stdout, /TDG\.VP\.INFO[\s\S]*TDG\.VP\.INFO[\s\S]*\nreturned 0x12a052eb0\n$/);
    const kept = seamulator(
      'exec',
      ...CALL,
      '--host',
      'garbage',
      '--vmm',
      'strict',
      '--snapshot-at',
      '300K',
      '--snapshot',
      'slow.snap',
    );
    assert.deepEqual([kept.status, kept.stdout], [0, whole.stdout], kept.stderr);
    assert.match(kept.stderr, /The run is kept after 30\d{4} instructions\./);
    const resumed = seamulator('resume', 'slow.snap', '--json', 'slow.json');
    assert.deepEqual(
      [resumed.status, resumed.stdout.replace(path('slow.o'), 'slow.o')],
      [0, whole.stdout],
      resumed.stderr,
    );
    assert.equal(JSON.parse(readFileSync(path('slow.json'), 'utf8')).crossings.length, 2);
    assert.equal(seamulator('resume', 'slow.snap', '--max-instructions', '1000').status, 4);
  });

  test('what does not fit is refused', (context) => {
    if (skip !== '') return context.skip(skip);
    const marker = seamulator('exec', ...CALL, '--snapshot-at', 'marker', '--snapshot', 'm.snap');
    assert.equal(marker.status, 1);
    assert.match(marker.stderr, /^seamulator: A function puts no mark on a console: give --snapshot-at a number\.\n$/);
    assert.equal(seamulator('exec', ...CALL, '--snapshot-at', '300K', '--snapshot', 'o.snap').status, 0);
    const late = seamulator('exec', ...CALL, '--snapshot-at', '9G', '--snapshot', 'late.snap');
    assert.match(late.stderr, /No snapshot was made in \d+ instructions: the run was over before\./);
    assert.equal(seamulator('resume', 'o.snap', '--exec', 'true').status, 1);
    assert.equal(seamulator('resume', 'o.snap', '--replay', 'keys').status, 1);
    const object = readFileSync(path('slow.o'));
    writeFileSync(path('slow.o'), Buffer.concat([object, Buffer.of(1)]));
    const changed = seamulator('resume', 'o.snap');
    assert.equal(changed.status, 3);
    assert.match(
      changed.stderr,
      /^seamulator: The snapshot o\.snap was made with another object: \S+slow\.o had SHA-256 /,
    );
    rmSync(path('slow.o'));
    const gone = seamulator('resume', 'o.snap');
    assert.equal(gone.status, 3);
    assert.match(gone.stderr, /^seamulator: The object of the snapshot o\.snap is gone: \S+slow\.o\.\n$/);
    writeFileSync(path('slow.o'), object);
  });
});
