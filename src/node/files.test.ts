import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readUserFile } from './files.ts';

test('a file is read into memory that threads can share', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'seamulator-files-'));
  try {
    const path = join(directory, 'file');
    writeFileSync(path, 'text');
    const bytes = await readUserFile(path, 'text');
    assert.equal(Buffer.from(bytes).toString(), 'text');
    assert.ok(bytes.buffer instanceof SharedArrayBuffer);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a file that is too long is refused before any of it is read', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'seamulator-files-'));
  try {
    const path = join(directory, 'file');
    writeFileSync(path, '');
    truncateSync(path, 3 * 2 ** 30); // takes no room on the disk
    await assert.rejects(readUserFile(path, 'kernel'), {
      message: `Cannot read the kernel ${path}: it has 3221225472 bytes, give one of less than 2 GiB.`,
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('what does not say how long it is, as a pipe, is read to its end', {
  skip: process.platform !== 'linux',
}, async () => {
  const bytes = await readUserFile('/proc/self/status', 'status');
  assert.match(Buffer.from(bytes).toString(), /^Name:.*\nPid:\t\d+\n/s);
});

test('what cannot be read is said in a sentence', async () => {
  await assert.rejects(readUserFile('/nonexistent', 'kernel'), {
    message: 'Cannot read the kernel /nonexistent: there is no such file.',
  });
  await assert.rejects(readUserFile('/', 'kernel'), { message: 'Cannot read the kernel /: it is a directory.' });
});
