/**
 * Generated code on disk, so that the next run of the same guest starts with what this one has compiled, optimised machine code included.
 * What it holds can be made anew at any time: a file that is missing, old, damaged, or of another V8 is as good as none.
 */
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writevSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Bytes, readBytes } from '../bits/index.ts';
import type { GeneratedCode, GeneratedModule, GeneratedRegion, GeneratedRegions } from '../cpu/index.ts';
import { BackgroundModules } from './background-modules.ts';
import { backgroundThread } from './background-thread.ts';
import { cacheDirectory, keepNewest } from './cache-directory.ts';
import { type NativeSerializer, nativeSerializer } from './native-serializer.ts';
import {
  digestOf,
  type ModuleFile,
  type ModuleParts,
  moduleOf,
  readAt,
  readModule,
  type StoredModule,
  type Stretch,
} from './stored-module.ts';

/** A file that has grown beyond this is begun anew. */
const MOST_BYTES = 256 << 20;
/** Guests, and builds of ours, that are remembered. */
const MOST_FILES = 8;
/** Share of regions from which on the file is written again for those that V8 has newly optimised. */
const LEAST_OPTIMISED = 0.05;
const DIGEST_BYTES = 32;
/** Of the index and of the code of regions, both after the digest. */
const LENGTHS_BYTES = 8;

interface StoredRegions extends StoredModule {
  /** a region with the bytes of its code as a stretch of them all */
  readonly regions: readonly (Omit<GeneratedRegion, 'code'> & { readonly code: Stretch })[];
}
interface Index {
  readonly features: string;
  readonly handlers: StoredModule | null;
  /** in the same place as the code of regions */
  readonly templates: Stretch;
  readonly places: Stretch;
  /** JSON, of `StoredRegions` */
  readonly regions: Stretch;
}

type RestoredModule = Pick<GeneratedModule, 'bytes' | 'module'>;

interface MachineCode extends Pick<StoredModule, 'digest' | 'optimised'> {
  readonly native: Uint8Array | undefined;
}
/** Of a kernel, as many stretches of so many bytes. */
const SAMPLES = 64;
const SAMPLE_BYTES = 1024;

/**
 * What tells guests with different kernels apart here. Not all of a kernel is read for it: kept code is compared with the guest's before it
 * runs, so kernels that are as much alike as that may well share it.
 */
export function kernelKey(kernel: Bytes): string {
  const hash = createHash('sha256').update(`${kernel.length}`);
  for (let i = 0; i < SAMPLES; i++) {
    const at = Math.floor((i * kernel.length) / SAMPLES);
    hash.update(readBytes(kernel, at, at + SAMPLE_BYTES));
  }
  return hash.digest('hex');
}

export class CodeStore {
  readonly #path: string;
  readonly #serializer: NativeSerializer | undefined;
  readonly #machineCode = new WeakMap<GeneratedModule, MachineCode>();
  /** what the file held */
  readonly stored: GeneratedCode | undefined;

  /**
   * @param guest what tells guests apart, such as the key of a kernel: each has a file of its own
   * @param engine names the build that generates; undefined: nothing is kept
   */
  constructor(guest: string, engine = engineDigest()) {
    const name = createHash('sha256').update(`${process.version} ${engine} ${guest}`).digest('hex').slice(0, 32);
    this.#path = join(cacheDirectory(), 'code', name);
    this.#serializer = engine === undefined ? undefined : nativeSerializer();
    this.stored = this.#read();
  }

  /**
   * The file: a digest of what follows up to the modules; the lengths of the index, which is JSON, and of the code of all regions with what else has a stretch
   * of it; both of them; the modules. Of these each has its own digest, and is read when it is first needed. What is said of regions is read then too.
   */
  #read(): GeneratedCode | undefined {
    const serializer = this.#serializer;
    if (serializer === undefined) return undefined;
    try {
      const file = openSync(this.#path, 'r'); // stays open: another run may put a new file in its place
      const lengths = readAt(file, DIGEST_BYTES, LENGTHS_BYTES);
      const codeAt = LENGTHS_BYTES + lengths.readUInt32LE(0);
      const head = readAt(file, DIGEST_BYTES, codeAt + lengths.readUInt32LE(4));
      if (!digestOf(head).equals(readAt(file, 0, DIGEST_BYTES))) return undefined;
      const { features, handlers, templates, places, regions } = JSON.parse(
        head.toString('latin1', LENGTHS_BYTES, codeAt),
      ) as Index;
      const code = new Uint8Array(head.buffer, head.byteOffset + codeAt, head.length - codeAt);
      const from: ModuleFile = { file, modulesAt: DIGEST_BYTES + head.length };
      const storedRegions = once(
        () => JSON.parse(head.toString('latin1', codeAt + regions[0], codeAt + regions[1])) as readonly StoredRegions[],
      );
      const ready = new BackgroundModules(from, storedRegions, backgroundThread());
      const restoredRegions = once(() =>
        storedRegions().map((each, index) =>
          withRegions(
            this.#restored(serializer, from, each, () => ready.take(index)),
            each.regions.map((region) => ({ ...region, code: code.subarray(...region.code) })),
          ),
        ),
      );
      const read: GeneratedCode = {
        features,
        handlers: handlers === null ? undefined : this.#restored(serializer, from, handlers),
        templates: () => code.subarray(...templates),
        places: () => code.subarray(...places),
        get regions() {
          return restoredRegions();
        },
      };
      return read.handlers !== undefined && read.handlers.module === undefined ? undefined : read;
    } catch {
      return undefined;
    }
  }

  /** A module is read, or made, when it is first needed. @param ready gives it if that has been done meanwhile */
  #restored(
    serializer: NativeSerializer,
    from: ModuleFile,
    stored: StoredModule,
    ready?: () => WebAssembly.Module | undefined,
  ): RestoredModule {
    let parts: ModuleParts | null | undefined;
    const read = () => {
      if (parts === undefined) parts = readModule(from, stored);
      return parts;
    };
    let module: WebAssembly.Module | null | undefined;
    const restored: RestoredModule = {
      get bytes() {
        return read()?.bytes ?? new Uint8Array();
      },
      get module() {
        if (module === undefined) {
          module = ready?.();
          const whole = module === undefined ? readModule(from, stored) : null;
          module ??= whole && moduleOf(whole, serializer);
        }
        return module ?? undefined;
      },
    };
    this.#machineCode.set(restored, {
      get native() {
        return read()?.native;
      },
      digest: stored.digest,
      optimised: stored.optimised,
    });
    return restored;
  }

  /** Each new region is worth the writing, or the next run would begin the thread that compiles for it; a few more that V8 has optimised are not. */
  #isWorthIt(serializer: NativeSerializer, { regions }: GeneratedCode): boolean {
    if (this.stored === undefined || regions.length > 0) return true;
    const known = this.stored.regions;
    const optimised = known.reduce(
      (sum, each) => sum + Math.max(0, optimisedIn(serializer, each) - this.#machineCode.get(each)!.optimised),
      0,
    );
    const count = known.reduce((sum, each) => sum + each.regions.length, 0);
    return optimised > count * LEAST_OPTIMISED;
  }

  /** Adds what a run has generated. A directory that cannot be written costs the next run its head start, and nothing else. */
  save(generated: GeneratedCode): void {
    const serializer = this.#serializer;
    if (serializer === undefined || !this.#isWorthIt(serializer, generated)) return;
    const known = this.stored?.features === generated.features ? this.stored.regions : [];
    const body = this.#bodyOf(serializer, generated, known);
    const isTooMuch = body.head.length + body.modules.lengthBytes > MOST_BYTES;
    this.#write(isTooMuch ? this.#bodyOf(serializer, generated, []) : body);
  }

  #bodyOf(
    serializer: NativeSerializer,
    { features, handlers, templates, places, regions }: GeneratedCode,
    known: GeneratedCode['regions'],
  ): FileBody {
    const code = new Pieces();
    const modules = new Pieces();
    const store = (generated: GeneratedModule): StoredModule => {
      const known = this.#machineCode.get(generated);
      const optimised = optimisedIn(serializer, generated);
      const bytes = modules.put(generated.bytes);
      // serialised and hashed again only if V8 has more of it now
      if (known !== undefined && optimised <= known.optimised)
        return {
          bytes,
          native: known.native === undefined ? null : modules.put(known.native),
          digest: known.digest,
          optimised: known.optimised,
        };
      const native = optimised > 0 ? new Uint8Array(serializer.serialize(generated.module!)) : undefined;
      return {
        bytes,
        native: native === undefined ? null : modules.put(native),
        digest: digestOf(generated.bytes, native).toString('base64'),
        optimised,
      };
    };
    const whole = known.filter(({ bytes }) => bytes.length > 0);
    const storedHandlers = handlers === undefined ? null : store(handlers);
    const stored: StoredRegions[] = [...whole, ...regions].map((each) => ({
      ...store(each),
      regions: each.regions.map((region) => ({ ...region, code: code.put(region.code) })),
    }));
    const index: Index = {
      features,
      handlers: storedHandlers,
      templates: code.put(templates()),
      places: code.put(places()),
      regions: code.put(Buffer.from(JSON.stringify(stored), 'latin1')),
    };
    const text = Buffer.from(JSON.stringify(index), 'latin1');
    const lengths = Buffer.alloc(LENGTHS_BYTES);
    lengths.writeUInt32LE(text.length, 0);
    lengths.writeUInt32LE(code.lengthBytes, 4);
    return { head: Buffer.concat([lengths, text, ...code.pieces]), modules };
  }

  #write({ head, modules }: FileBody): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      const temporary = `${this.#path}.${process.pid}`;
      writeAll(temporary, [digestOf(head), head, ...modules.pieces]);
      renameSync(temporary, this.#path);
      keepNewest(dirname(this.#path), MOST_FILES);
    } catch {
      return;
    }
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Bytes one after the other. */
class Pieces {
  readonly pieces: Uint8Array[] = [];
  lengthBytes = 0;

  put(bytes: Uint8Array): Stretch {
    this.pieces.push(bytes);
    this.lengthBytes += bytes.length;
    return [this.lengthBytes - bytes.length, this.lengthBytes];
  }
}

/** What the file holds after its first digest. */
interface FileBody {
  readonly head: Buffer;
  readonly modules: Pieces;
}

/** Keeps the getters. */
function withRegions(restored: RestoredModule, regions: readonly GeneratedRegion[]): GeneratedRegions {
  return Object.assign(restored, { regions });
}

/** Writes a new file, without joining the pieces first. Throws an Error when there is no room for all of them. */
function writeAll(path: string, pieces: readonly Uint8Array[]): void {
  const file = openSync(path, 'w');
  try {
    const lengthBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (writevSync(file, pieces) !== lengthBytes) throw new Error(`${path} could not be written to its end`);
  } finally {
    closeSync(file);
  }
}

/** Exported functions that this run has in optimised form. */
function optimisedIn(serializer: NativeSerializer, { instance }: GeneratedModule): number {
  return Object.values(instance?.exports ?? {}).filter((each) => serializer.isOptimised(each)).length;
}

/** Names the engine: code that one build has generated is of no use to another. Only the built command has a name, beside it. */
function engineDigest(): string | undefined {
  try {
    return readFileSync(join(import.meta.dirname, 'engine-digest'), 'latin1');
  } catch {
    return undefined;
  }
}
