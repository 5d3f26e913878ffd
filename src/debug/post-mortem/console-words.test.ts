import assert from 'node:assert/strict';
import test from 'node:test';
import { consoleWords } from './console-words.ts';

const OOPS = `[    1.234567] BUG: kernel NULL pointer dereference, address: 0000000000000000\r
[    1.234568] Oops: Oops: 0002 [#1] PREEMPT SMP NOPTI\r
[    1.234570] RIP: 0010:sysrq_handle_crash+0x16/0x20\r
[    1.234580] Call Trace:\r
[    1.234581]  <TASK>\r
[    1.234582]  __handle_sysrq.cold+0x99/0x1a5\r
[    1.234583]  ? write_sysrq_trigger+0x24/0x40\r
[    1.234584]  proc_reg_write+0x56/0xa0\r
[    1.234590] Kernel panic - not syncing: sysrq triggered crash\r
`;

test('a panic, the oops before it, its place and its call trace', () => {
  assert.deepEqual(consoleWords(OOPS), {
    panic: 'sysrq triggered crash',
    oops: 'BUG: kernel NULL pointer dereference, address: 0000000000000000',
    place: 'sysrq_handle_crash+0x16/0x20',
    callTrace: ['__handle_sysrq.cold+0x99/0x1a5', 'proc_reg_write+0x56/0xa0'],
  });
});

test('a console without a death', () => {
  const words = consoleWords('[    0.000000] Linux version 6.12\r\nlogin: ');
  assert.deepEqual(words, { panic: null, oops: null, place: null, callTrace: [] });
});
