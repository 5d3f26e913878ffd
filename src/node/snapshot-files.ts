/** Snapshots in files: the head as src/machine/snapshot-file.ts makes it, then the pages, straight from memory and straight back. */

import { createHash } from 'node:crypto';
import { close as closeFile, fstatSync, open as openFile, readSync, renameSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Bytes, piecesOf, SnapshotError, type Stateful, StateReader, StateWriter } from '../bits/index.ts';
import {
  clearPages,
  decodeSnapshotHead,
  encodeSnapshotHead,
  pagesInUse,
  type SnapshotAbout,
  type SnapshotHead,
  snapshotHeadBytes,
  type TdOptions,
  type TdxPlatform,
} from '../machine/index.ts';

/** in the tree of values, beside the parts of the platform */
const SEEN = 'seen';

const open = promisify(openFile);
const close = promisify(closeFile);

export function sha256Of(bytes: Bytes): string {
  const hash = createHash('sha256');
  for (const piece of piecesOf(bytes)) hash.update(piece);
  return hash.digest('hex');
}

/**
 * Writes the platform as it is now; its TDs are between two runs. The file is whole or not there. Throws a SnapshotError, or what the
 * file system throws.
 * @param seen what is kept besides: `restore` gives it back
 */
export async function writeSnapshot(
  path: string,
  platform: TdxPlatform,
  about: SnapshotAbout,
  seen?: Stateful,
): Promise<void> {
  const writer = new StateWriter();
  platform.visitState(writer);
  if (seen !== undefined) writer.part(SEEN, seen);
  const { memory } = platform;
  const runs = pagesInUse(memory);
  const temporary = `${path}.${process.pid}.part`;
  const file = await open(temporary, 'w');
  try {
    writeAll(file, encodeSnapshotHead({ about, tree: writer.tree, runs }));
    for (const { hpa, lengthBytes } of runs) writeAll(file, memory.u8.subarray(hpa, hpa + lengthBytes));
  } finally {
    await close(file);
  }
  renameSync(temporary, path);
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

/** A snapshot whose head is read and whose pages are still in the file. */
export interface OpenSnapshot {
  readonly head: SnapshotHead;
  /**
   * Restores a platform made with the options of `head.about`, which has no TDs, or the same that were there when it was kept; `seen`
   * as it was given to `writeSnapshot`. Closes the file.
   */
  restore(platform: TdxPlatform, options: TdOptions, seen?: Stateful): Promise<void>;
}

/** Opens a snapshot. Throws a SnapshotError that says why it cannot be used, or what the file system throws. */
export async function openSnapshot(path: string): Promise<OpenSnapshot> {
  const file = await open(path, 'r');
  try {
    const headBytes = snapshotHeadBytes(readSome(file, 24));
    const { size } = fstatSync(file);
    if (size < headBytes) throw new SnapshotError('it is cut short');
    const head = decodeSnapshotHead(readExactly(file, headBytes, 0));
    const pageBytes = head.runs.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
    if (size < headBytes + pageBytes) throw new SnapshotError('it is cut short');
    return {
      head,
      async restore(platform, options, seen) {
        try {
          clearPages(platform.memory);
          readPages(file, headBytes, head, platform);
          const reader = new StateReader(head.tree);
          platform.visitState(reader, options);
          if (seen !== undefined) reader.part(SEEN, seen);
        } finally {
          await close(file);
        }
      },
    };
  } catch (error) {
    await close(file);
    throw error;
  }
}

/** @param start of the pages in the file */
function readPages(file: number, start: number, head: SnapshotHead, { memory }: TdxPlatform): void {
  let position = start;
  for (const { hpa, lengthBytes } of head.runs) {
    if (!memory.isRam(hpa, lengthBytes)) throw new SnapshotError('its memory is larger than it says');
    readInto(file, memory.u8.subarray(hpa, hpa + lengthBytes), position);
    position += lengthBytes;
  }
}

function readSome(file: number, bytes: number): Uint8Array {
  const buffer = new Uint8Array(bytes);
  return buffer.subarray(0, readSync(file, buffer, 0, bytes, 0));
}

function readExactly(file: number, bytes: number, position: number): Uint8Array {
  const buffer = new Uint8Array(bytes);
  readInto(file, buffer, position);
  return buffer;
}

function readInto(file: number, buffer: Uint8Array, position: number): void {
  for (let done = 0; done < buffer.length; ) {
    const read = readSync(file, buffer, done, buffer.length - done, position + done);
    if (read === 0) throw new SnapshotError('it is cut short');
    done += read;
  }
}
