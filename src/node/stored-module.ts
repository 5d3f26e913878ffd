/** A generated module as the code store's file holds it, and the way back to a module of WebAssembly. */
import { createHash } from 'node:crypto';
import { fstatSync, readSync } from 'node:fs';
import type { NativeSerializer } from './native-serializer.ts';

/** A stretch of the code of regions, or of what the modules are made of. */
export type Stretch = readonly [from: number, to: number];

export interface StoredModule {
  readonly bytes: Stretch;
  /** machine code, by V8; none of a module none of whose functions was hot enough to be optimised */
  readonly native: Stretch | null;
  /** of the bytes and of the machine code, which is next to them */
  readonly digest: string;
  /** functions that the machine code has, as far as they are exported; the others are compiled anew */
  readonly optimised: number;
}

export interface ModuleParts {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly native: Uint8Array<ArrayBuffer> | undefined;
}

/** Where modules are kept. */
export interface ModuleFile {
  /** descriptor of the open file */
  readonly file: number;
  /** where the first module begins */
  readonly modulesAt: number;
}

/** null: it is not what was written. Each part has a buffer of its own, which V8 takes as it is. */
export function readModule({ file, modulesAt }: ModuleFile, stored: StoredModule): ModuleParts | null {
  const read = ([from, to]: Stretch) => new Uint8Array(readAt(file, modulesAt + from, to - from).buffer);
  try {
    const bytes = read(stored.bytes);
    const native = stored.native === null ? undefined : read(stored.native);
    return digestOf(bytes, native).toString('base64') === stored.digest ? { bytes, native } : null;
  } catch {
    return null;
  }
}

/** With the machine code that was kept, if V8 wants it; else compiled anew. */
export function moduleOf({ bytes, native }: ModuleParts, serializer: NativeSerializer): WebAssembly.Module {
  return (native && serializer.deserialize(native.buffer, bytes)) ?? new WebAssembly.Module(bytes);
}

/** Throws a RangeError if the file ends before. */
export function readAt(file: number, position: number, lengthBytes: number): Buffer<ArrayBuffer> {
  if (position + lengthBytes > fstatSync(file).size) throw new RangeError('the file is shorter than it says');
  const bytes = Buffer.allocUnsafeSlow(lengthBytes);
  for (let done = 0; done < lengthBytes; ) {
    const read = readSync(file, bytes, done, lengthBytes - done, position + done);
    if (read === 0) throw new RangeError('the file was cut');
    done += read;
  }
  return bytes;
}

export function digestOf(...pieces: readonly (Uint8Array | undefined)[]): Buffer {
  const hash = createHash('sha256');
  for (const piece of pieces) if (piece !== undefined) hash.update(piece);
  return hash.digest();
}
