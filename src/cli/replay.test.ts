import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { replayLine } from './replay.ts';

test('the line to see it again survives a shell', () => {
  const args = ['boot', '--exec', `echo "it's $HOME" ; exit 7`];
  const shell = spawnSync('sh', ['-c', `seamulator() { printf '%s\\n' "$@"; }; ${replayLine(args)}`]);
  assert.equal(shell.stdout.toString(), `${args.join('\n')}\n`);
});
