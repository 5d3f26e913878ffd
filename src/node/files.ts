/** The user's files: a cache directory, whole-file writes, a lock between processes. */

import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Writes a file so that a reader sees the old content or the new, never a part. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.part`;
  await writeFile(temporary, content);
  await rename(temporary, path);
}

export class FileError extends Error {
  override readonly name = 'FileError';
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

/** Reads a file a user named, into memory that threads can share; throws one sentence. */
export async function readUserFile(path: string, what: string): Promise<Uint8Array> {
  return orSentence(path, what, () => readShared(path)); // at once: the asynchronous way takes three times as long, and nobody has anything else to do
}

/** What goes wrong with a file is said in one sentence. */
export function orSentence<T>(path: string, what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new FileError(`Cannot read the ${what} ${path}: ${reasons[code] ?? message}.`);
  }
}

/** Of one read. */
const MOST_BYTES = 0x7fff_ffff;

/** All of a file, in memory that threads can share. Throws what the file system throws. */
export function readShared(path: string): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    if (size > MOST_BYTES) throw new RangeError(`it has ${size} bytes, give one of less than 2 GiB`);
    const bytes = new Uint8Array(new SharedArrayBuffer(size));
    let at = 0;
    for (let more = -1; at < size && more !== 0; at += more) more = readSync(file, bytes, at, size - at, null);
    const rest = readFileSync(file); // a pipe, or a file that grows
    return rest.length === 0 ? bytes.subarray(0, at) : Buffer.concat([bytes.subarray(0, at), rest]);
  } finally {
    closeSync(file);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Runs `work` while no other process of this machine holds the same lock; a lock left by a dead process is taken over. */
export async function withLock<T>(directory: string, work: () => Promise<T>): Promise<T> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, 'lock');
  for (;;) {
    try {
      const file = await open(path, 'wx');
      await file.writeFile(String(process.pid));
      await file.close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const owner = Number(await readFile(path, 'utf8').catch(() => '0'));
      if (owner > 0 && !isAlive(owner)) await rm(path, { force: true });
      else await sleep(200);
    }
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}
