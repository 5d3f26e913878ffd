import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const COMMAND = join(import.meta.dirname, '../../../bin/seamulator');

test('a start reads no certificates: Node would parse them all', () => {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: '/nonexistent' };
  assert.match(spawnSync(process.execPath, ['-e', '0'], { encoding: 'utf8', env }).stderr, /extra certs/);
  const { status, stderr } = spawnSync(COMMAND, ['decode', '0'], { encoding: 'utf8', env });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
});

test('a long run keeps its code although a short one has kept some', () => {
  const cache = mkdtempSync(join(tmpdir(), 'seamulator-launch-'));
  try {
    const slow = join(cache, 'slow.cjs');
    writeFileSync(slow, 'while (process.cpuUsage().user < 1.1e6);');
    const keptAfter = (...nodeArguments: string[]): string[] => {
      const env = { ...process.env, XDG_CACHE_HOME: cache };
      assert.equal(spawnSync(process.execPath, [...nodeArguments, COMMAND, 'decode', '0'], { env }).status, 0);
      return readdirSync(join(cache, 'seamulator', 'command')).map((name) => name.replace(/-.*[0-9]/, ''));
    };
    assert.deepEqual(keptAfter(), ['decode']);
    assert.deepEqual(keptAfter('--require', slow).sort(), ['decode', 'decode-long']);
  } finally {
    rmSync(cache, { recursive: true });
  }
});

test('the compiled command is kept, and a damaged copy is as good as none', () => {
  const cache = mkdtempSync(join(tmpdir(), 'seamulator-launch-'));
  try {
    const run = () => {
      const { status, stdout } = spawnSync(process.execPath, [COMMAND, 'decode', '0'], {
        encoding: 'utf8',
        env: { ...process.env, XDG_CACHE_HOME: cache },
      });
      return { status, firstLine: stdout.split('\n')[0] };
    };
    const expected = { status: 0, firstLine: 'completion status 0x0: TDX_SUCCESS' };
    const directory = join(cache, 'seamulator', 'command');
    assert.deepEqual(run(), expected);
    const kept = readdirSync(directory);
    assert.equal(kept.length, 1);
    assert.match(kept[0]!, /^decode-/);
    assert.deepEqual(run(), expected, 'with what was kept');
    writeFileSync(join(directory, kept[0]!), 'damaged');
    assert.deepEqual(run(), expected, 'without');
    assert.deepEqual(readdirSync(directory), kept, 'and kept again');
    const whole = readFileSync(join(directory, kept[0]!));
    for (let part = 0; part < 8; part++) {
      const damaged = Buffer.from(whole);
      damaged[Math.floor((whole.length * (part + 0.5)) / 8)]! ^= 0x55;
      writeFileSync(join(directory, kept[0]!), damaged);
      assert.deepEqual(run(), expected, `one byte of part ${part} is wrong`);
    }
  } finally {
    rmSync(cache, { recursive: true });
  }
});

test('each command has a script of its own, in strict mode as modules are', () => {
  const bundle = join(import.meta.dirname, '../../bundle');
  const scripts = readdirSync(bundle).flatMap((name) => /^command-(.+)\.cjs$/.exec(name)?.[1] ?? []);
  const { stdout } = spawnSync(process.execPath, [COMMAND, '--help'], { encoding: 'utf8' });
  const commands = [...stdout.split('Commands:')[1]!.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(scripts.sort(), commands.filter((name) => name !== 'help').sort());
  for (const name of scripts)
    assert.match(readFileSync(join(bundle, `command-${name}.cjs`), 'latin1').slice(0, 100), /"use strict"/, name);
});

test('a name that only looks like a script is an unknown command', () => {
  for (const name of ['launch', '../bundle/main', 'b-oot', 'Boot']) {
    const { status, stderr } = spawnSync(process.execPath, [COMMAND, name], { encoding: 'utf8' });
    assert.equal(status, 1, name);
    assert.match(stderr, new RegExp(`unknown command '${name}'`));
  }
});
