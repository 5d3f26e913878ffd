import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { busyboxInitramfs } from './initramfs.ts';

const hasCpio = spawnSync('cpio', ['--version']).error === undefined;
const busybox = new TextEncoder().encode('a program');

test('cpio unpacks it: modes, contents, the command', { skip: hasCpio ? false : 'no cpio on this machine' }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'seamulator-'));
  try {
    const { status, stderr } = spawnSync('cpio', ['-i', '--quiet', '--nonmatching', 'dev/console'], {
      cwd: directory,
      input: busyboxInitramfs(busybox, "echo 'it''s'; exit 7"),
    });
    assert.equal(status, 0, stderr.toString());
    assert.equal(readFileSync(join(directory, 'bin/busybox'), 'utf8'), 'a program');
    assert.equal(readFileSync(join(directory, 'seamulator/command'), 'utf8'), "echo 'it''s'; exit 7\n");
    const init = join(directory, 'init');
    const syntax = spawnSync('sh', ['-n', init]);
    assert.equal(syntax.status, 0, syntax.stderr.toString());
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the marks the init script prints are the marks the command line looks for', () => {
  const archive = Buffer.from(busyboxInitramfs(busybox, 'true')).toString('latin1');
  const [, format] = /printf '(\\033\]seamulator;end;%d\\007)'/.exec(archive) ?? [];
  assert.ok(format);
  const printed = spawnSync('sh', ['-c', `printf '${format}' 7`]).stdout.toString();
  assert.equal(printed, '\x1b]seamulator;end;7\x07');
});

test('equal inputs, equal bytes; another command, other bytes', () => {
  assert.deepEqual(busyboxInitramfs(busybox, 'a'), busyboxInitramfs(busybox, 'a'));
  assert.notDeepEqual(busyboxInitramfs(busybox, 'a'), busyboxInitramfs(busybox, 'b'));
});

test('modules are for modprobe, and are loaded at once for a person and for a command that speaks of attestation', () => {
  const files = ['configfs.ko.xz', 'tsm.ko.xz', 'tdx-guest.ko.xz'].map((name) => ({ name, bytes: Uint8Array.of(1) }));
  const modules = { release: '6.12.0-test', files };
  const textOf = (command?: string) => Buffer.from(busyboxInitramfs(busybox, command, modules)).toString('latin1');
  for (const command of [undefined, 'cat /dev/tdx_guest', 'ls /sys/kernel/config/tsm', 'modprobe tdx-guest'])
    assert.match(textOf(command), /xzcat \/lib\/modules\/6\.12\.0-test\/tsm\.ko\.xz >/, command);
  const plain = textOf('dmesg | grep -i tdx');
  assert.doesNotMatch(plain, /xzcat/);
  assert.match(plain, /tdx-guest\.ko\.xz: tsm\.ko\.xz configfs\.ko\.xz\n/);
  assert.match(plain, /lib\/modules\/6\.12\.0-test\/modules\.dep/);
});
