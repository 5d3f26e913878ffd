import assert from 'node:assert/strict';
import test from 'node:test';
import { consoleMark } from '../node/index.ts';
import { GuestConsole } from './guest-console.ts';

function printed(text: string): { console: GuestConsole; boot: string; command: string } {
  let [boot, command] = ['', ''];
  const console = new GuestConsole({
    onBoot: (bytes) => {
      boot += Buffer.from(bytes).toString('latin1');
    },
    onCommand: (bytes) => {
      command += Buffer.from(bytes).toString('latin1');
    },
  });
  for (const byte of Buffer.from(text, 'latin1')) console.transmit(byte);
  console.end();
  return { console, boot, command };
}

test("the command's output is told from the boot messages, and its status is read", () => {
  const { console, boot, command } = printed(`up\r\n${consoleMark('begin')}7\n${consoleMark('end', '3')}down\r\n`);
  assert.equal(boot, 'up\r\ndown\r\n');
  assert.equal(command, '7\n');
  assert.equal(console.commandStatus, 3);
  assert.equal(console.isReady, false);
});

test('without marks there is no status; a shell announces itself', () => {
  const { console } = printed(`up${consoleMark('ready')}# `);
  assert.equal(console.commandStatus, undefined);
  assert.equal(console.isReady, true);
});

test('the last words are kept', () => {
  const { console } = printed(
    '[    1.0] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000009\r\n' +
      '[    1.0] RIP: 0010:native_halt+0x1/0x2\r\n',
  );
  assert.match(console.text, /Attempted to kill init/);
  assert.deepEqual(console.lastLines(1), ['[    1.0] RIP: 0010:native_halt+0x1/0x2']);
});
