/** The form of a snapshot in a file: docs/snapshot-format.md. Reading and writing is for whoever has files; here are the bytes. */
import { type NumericArray, SnapshotError, type StateTree, type StateValue } from '../bits/index.ts';
import { PROCESSOR_LAYOUT } from '../cpu/index.ts';
import { PAGE_SIZE_BYTES } from '../memory/index.ts';
import type { PageRun } from './snapshot.ts';

const MAGIC = 'SEAMSNAP';
/** Goes up with every change of the form or of what names mean. */
export const SNAPSHOT_FORMAT = 2;
/** magic, format, length of the JSON text, length of the head, checksum of the head */
const PREFIX_BYTES = 24;
const ARRAY_ALIGNMENT = 8;

/** A file that the run was made of. */
export interface SnapshotInput {
  /** "kernel", "initramfs", "object" */
  readonly role: string;
  /** a path, or a name for what is made by ourselves */
  readonly name: string;
  readonly sha256: string;
}

/** What a person, and who resumes, is told of a snapshot. Values are those of JSON. */
export interface SnapshotAbout {
  /** which command made it, and can go on with it */
  readonly kind: 'boot' | 'exec';
  /** arguments of the command that made it */
  readonly command: readonly string[];
  readonly inputs: readonly SnapshotInput[];
  /** instructions that the run had behind it */
  readonly instructions: number;
  /** a shell waited on the console */
  readonly atShell: boolean;
  /** how the platform was made, in the words of the command line */
  readonly platform: {
    readonly memoryBytes: number;
    readonly seed: number;
    readonly cpu: string;
    readonly tdxModule: string;
    readonly vmm: string;
    readonly quoteVersion: number;
  };
}

export interface SnapshotHead {
  readonly about: SnapshotAbout;
  readonly tree: StateTree;
  /** their contents follow the head, one after the other */
  readonly runs: readonly PageRun[];
}

const ARRAYS = { Uint8Array, Uint16Array, Uint32Array, Int32Array, Float64Array, BigUint64Array } as const;
type ArrayName = keyof typeof ARRAYS;

const aligned = (bytes: number, to: number): number => Math.ceil(bytes / to) * to;

/** Values that JSON has no word for are objects with one of these names. */
const Mark = { array: '$array', big: '$big', number: '$number', nothing: '$undefined' } as const;

/** The bytes before the pages: a whole number of pages. */
export function encodeSnapshotHead({ about, tree, runs }: SnapshotHead): Uint8Array {
  const arrays: { readonly bytes: Uint8Array; readonly offset: number }[] = [];
  let arrayBytes = 0;
  const plain = (value: StateValue): unknown => {
    if (typeof value === 'bigint') return { [Mark.big]: value.toString() };
    if (typeof value === 'number' && !Number.isFinite(value)) return { [Mark.number]: String(value) };
    if (value === undefined) return { [Mark.nothing]: true };
    if (ArrayBuffer.isView(value)) {
      const array = value as NumericArray;
      arrays.push({ bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength), offset: arrayBytes });
      const described = { [Mark.array]: [array.constructor.name, arrayBytes, array.length] };
      arrayBytes = aligned(arrayBytes + array.byteLength, ARRAY_ALIGNMENT);
      return described;
    }
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value === 'object')
      return Object.fromEntries(Object.entries(value as StateTree).map(([name, one]) => [name, plain(one)]));
    return value;
  };
  const head = {
    layout: PROCESSOR_LAYOUT,
    about,
    runs: runs.map(({ hpa, lengthBytes }) => [hpa, lengthBytes]),
    state: plain(tree),
  };
  const json = new TextEncoder().encode(JSON.stringify(head));
  const arraysAt = aligned(PREFIX_BYTES + json.length, ARRAY_ALIGNMENT);
  const bytes = new Uint8Array(aligned(arraysAt + arrayBytes, PAGE_SIZE_BYTES));
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint32(8, SNAPSHOT_FORMAT, true);
  view.setUint32(12, json.length, true);
  view.setUint32(16, bytes.length, true);
  bytes.set(json, PREFIX_BYTES);
  for (const { bytes: content, offset } of arrays) bytes.set(content, arraysAt + offset);
  view.setUint32(20, checksum(bytes.subarray(PREFIX_BYTES)), true);
  return bytes;
}

/** FNV-1a, 32 bits: enough to tell a damaged file, and no protection against a made one. */
function checksum(bytes: Uint8Array): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x0100_0193);
  return hash >>> 0;
}

/** Length of the head, from the first bytes of the file. Throws a SnapshotError if this is no snapshot, or none of this version. */
export function snapshotHeadBytes(first: Uint8Array): number {
  if (first.length < PREFIX_BYTES || new TextDecoder().decode(first.subarray(0, MAGIC.length)) !== MAGIC)
    throw new SnapshotError('it is no snapshot');
  const view = new DataView(first.buffer, first.byteOffset, first.length);
  const format = view.getUint32(8, true);
  if (format !== SNAPSHOT_FORMAT)
    throw new SnapshotError(`it has format ${format}, and this version of Seamulator reads format ${SNAPSHOT_FORMAT}`);
  return view.getUint32(16, true);
}

/** Throws a SnapshotError that says why the head cannot be used. */
export function decodeSnapshotHead(bytes: Uint8Array): SnapshotHead {
  if (snapshotHeadBytes(bytes) !== bytes.length) throw new SnapshotError('it is cut short');
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (checksum(bytes.subarray(PREFIX_BYTES)) !== view.getUint32(20, true))
    throw new SnapshotError('its head is damaged');
  const jsonBytes = view.getUint32(12, true);
  const json = new TextDecoder().decode(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + jsonBytes));
  const head = JSON.parse(json) as PlainHead;
  if (head.layout !== PROCESSOR_LAYOUT)
    throw new SnapshotError('another version of Seamulator made it, whose processors keep their state otherwise');
  const arraysAt = aligned(PREFIX_BYTES + jsonBytes, ARRAY_ALIGNMENT);
  const value = (plain: unknown): StateValue => {
    if (Array.isArray(plain)) return plain.map(value);
    if (typeof plain !== 'object' || plain === null) return plain as StateValue;
    const marked = plain as Record<string, unknown>;
    if (Mark.big in marked) return BigInt(marked[Mark.big] as string);
    if (Mark.number in marked) return Number(marked[Mark.number]);
    if (Mark.nothing in marked) return undefined;
    if (Mark.array in marked) {
      const [name, offset, length] = marked[Mark.array] as [ArrayName, number, number];
      const { BYTES_PER_ELEMENT } = ARRAYS[name];
      const at = arraysAt + offset;
      return new ARRAYS[name](bytes.slice(at, at + length * BYTES_PER_ELEMENT).buffer);
    }
    return Object.fromEntries(Object.entries(marked).map(([key, one]) => [key, value(one)]));
  };
  return {
    about: head.about,
    tree: value(head.state) as StateTree,
    runs: head.runs.map(([hpa, lengthBytes]) => ({ hpa, lengthBytes })),
  };
}

interface PlainHead {
  readonly layout: string;
  readonly about: SnapshotAbout;
  readonly runs: readonly (readonly [number, number])[];
  readonly state: unknown;
}
