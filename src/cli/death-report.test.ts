import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { CrossingRecorder } from '../debug/index.ts';
import { CrossingKind } from '../probe/index.ts';
import { causeOfDeath, formatDeath } from './death-report.ts';
import { GuestConsole } from './guest-console.ts';
import { replayLine } from './replay.ts';

function consoleAfter(text: string): GuestConsole {
  const console = new GuestConsole({ onCommand: () => {} });
  for (const byte of Buffer.from(text)) console.transmit(byte);
  console.end();
  return console;
}

test('a power-off, a limit and a plain reset are no deaths', () => {
  const quiet = consoleAfter('');
  assert.equal(causeOfDeath({ cause: 'power-off' }, quiet), undefined);
  assert.equal(causeOfDeath({ cause: 'instruction-limit' }, quiet), undefined);
  assert.equal(causeOfDeath({ cause: 'reset' }, quiet), undefined);
});

test('deaths have one sentence each', () => {
  const quiet = consoleAfter('');
  const panicked = consoleAfter('Kernel panic - not syncing: VFS\r\n');
  assert.equal(causeOfDeath({ cause: 'reset' }, panicked), 'Kernel panic: VFS.');
  assert.match(causeOfDeath({ cause: 'triple-fault', vcpu: 1 }, quiet)!, /^Triple fault on vCPU 1\.$/);
  const fatal = { cause: 'fatal-error', vcpu: 0, code: 0x10n, message: 'no memory' } as const;
  assert.equal(causeOfDeath(fatal, quiet), 'The guest reported a fatal error (code 0x10): no memory.');
  assert.match(causeOfDeath({ cause: 'idle', nextAlarmTicks: Number.POSITIVE_INFINITY }, quiet)!, /none will come/);
});

test('the report names the place, the crossings and the way to see it again', () => {
  const crossings = new CrossingRecorder();
  crossings.crossing(CrossingKind.VmmCall, 0, 0x10003, 0, 0, 0x8100_0010 | 0, -1);
  const text = formatDeath({
    cause: 'Kernel panic: VFS.',
    crossings,
    symbols: (address) => (address === 0xffff_ffff_8100_0010n ? 'tdx_panic+0x10' : undefined),
    guestPlace: undefined,
    replay: 'seamulator boot',
  });
  assert.match(
    text,
    /^The TD died\. Kernel panic: VFS\.\nRIP at the last crossing 0xffffffff81000010 \(tdx_panic\+0x10\)\n/,
  );
  assert.match(text, /Last 1 crossings:\n {2}0xffffffff81000010 {2}VMM call +ReportFatalError/);
  assert.match(text, /To see it again: seamulator boot$/);
});

test('the line to see it again survives a shell', () => {
  const args = ['boot', '--exec', `echo "it's $HOME" ; exit 7`];
  const shell = spawnSync('sh', ['-c', `seamulator() { printf '%s\\n' "$@"; }; ${replayLine(args)}`]);
  assert.equal(shell.stdout.toString(), `${args.join('\n')}\n`);
});
