import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { writeCpio } from './cpio.ts';

const entries = [
  { path: 'bin', mode: 0o040755 },
  { path: 'bin/hi', mode: 0o100755, content: new TextEncoder().encode('hello') },
  { path: 'init', mode: 0o120777, content: new TextEncoder().encode('bin/hi') },
  { path: 'console', mode: 0o020600, device: [5, 1] as const },
];

test('one file, byte for byte', () => {
  const archive = new TextDecoder().decode(writeCpio([entries[1]!]));
  const fields = ['00000001', '000081ED', '00000000', '00000000', '00000001', '00000000', '00000005'];
  const first = `070701${fields.join('')}${'00000000'.repeat(4)}0000000700000000bin/hi\0\0\0\0hello\0\0\0`;
  assert.equal(archive.slice(0, first.length), first);
  const trailer = archive.slice(first.length);
  assert.match(trailer, /^070701[0-9A-F]{104}TRAILER!!!\0+$/);
  assert.equal(archive.length % 4, 0);
});

test('cpio lists it', (context) => {
  const cpio = spawnSync('cpio', ['-itv', '--quiet'], { input: writeCpio(entries) });
  if (cpio.error) return context.skip('no cpio program here');
  const lines = cpio.stdout.toString().trim().split('\n');
  assert.equal(cpio.stderr.toString(), '');
  assert.match(lines[0]!, /^drwxr-xr-x\s+2 .* bin$/);
  assert.match(lines[1]!, /^-rwxr-xr-x\s+1 .*\s5 .* bin\/hi$/);
  assert.match(lines[2]!, /^lrwxrwxrwx\s+1 .* init -> bin\/hi$/);
  assert.match(lines[3]!, /^crw-------\s+1 .*5,\s+1.* console$/);
});
