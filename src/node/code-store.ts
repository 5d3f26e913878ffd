/**
 * Generated code on disk, so that the next run of the same guest starts with what this one has compiled, optimised machine code included.
 * What it holds can be made anew at any time: a file that is missing, old, damaged, or of another V8 is as good as none.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { GeneratedCode, GeneratedModule, GeneratedRegion } from '../cpu/index.ts';
import { cacheDirectory, keepNewest } from './cache-directory.ts';
import { HAS_KNOWN_SERIALIZER } from './v8-flags.ts';

/** A file that has grown beyond this is begun anew. */
const MOST_BYTES = 256 << 20;
/** Guests, and builds of ours, that are remembered. */
const MOST_FILES = 8;
/** Share of regions, new ones or newly optimised ones, from which on the file is written again. */
const LEAST_GROWTH = 0.05;
const DIGEST_BYTES = 32;

/** A stretch of the file's blob. */
type Stretch = readonly [from: number, to: number];

interface StoredModule {
  readonly bytes: Stretch;
  /** machine code, by V8; none of a module none of whose functions was hot enough to be optimised */
  readonly native: Stretch | null;
  /** functions that the machine code has, as far as they are exported; the others are compiled anew */
  readonly optimised: number;
}
interface StoredRegions extends StoredModule {
  /** a region with the bytes of its code as a stretch */
  readonly regions: readonly (Omit<GeneratedRegion, 'code'> & { readonly code: Stretch })[];
}
interface Index {
  readonly features: string;
  readonly handlers: StoredModule | null;
  readonly regions: readonly StoredRegions[];
}

type RestoredModule = Pick<GeneratedModule, 'bytes' | 'module'>;

interface MachineCode {
  readonly native: Uint8Array | undefined;
  readonly optimised: number;
}

/** V8's own serialiser of WebAssembly modules, which browsers use for their caches and Node does not name. */
interface NativeSerializer {
  serialize(module: WebAssembly.Module): ArrayBuffer;
  /** undefined: V8 does not want it, being another version or having other flags */
  deserialize(native: ArrayBuffer, bytes: Uint8Array): WebAssembly.Module | undefined;
  /** only modules that have such a function can be serialised */
  isOptimised(exported: unknown): boolean;
}

function nativeSerializer(): NativeSerializer | undefined {
  if (!HAS_KNOWN_SERIALIZER) return undefined;
  try {
    return {
      serialize: new Function('module', 'return %SerializeWasmModule(module)') as NativeSerializer['serialize'],
      deserialize: new Function(
        'native',
        'bytes',
        'return %DeserializeWasmModule(native, bytes)',
      ) as NativeSerializer['deserialize'],
      isOptimised: new Function('exported', 'return %IsTurboFanFunction(exported)') as NativeSerializer['isOptimised'],
    };
  } catch {
    return undefined;
  }
}

export class CodeStore {
  readonly #path: string;
  readonly #serializer: NativeSerializer | undefined;
  readonly #machineCode = new WeakMap<GeneratedModule, MachineCode>();
  /** what the file held */
  readonly stored: GeneratedCode | undefined;

  /**
   * @param guest what tells guests apart, such as the digest of a kernel: each has a file of its own
   * @param engine names the build that generates; undefined: nothing is kept
   */
  constructor(guest: string, engine = engineDigest()) {
    const name = createHash('sha256').update(`${process.version} ${engine} ${guest}`).digest('hex').slice(0, 32);
    this.#path = join(cacheDirectory(), 'code', name);
    this.#serializer = engine === undefined ? undefined : nativeSerializer();
    this.stored = this.#read();
  }

  /** The file: a digest of the rest, the length of the index, the index as JSON, the blob. */
  #read(): GeneratedCode | undefined {
    const serializer = this.#serializer;
    if (serializer === undefined) return undefined;
    try {
      const file = readFileSync(this.#path);
      const body = file.subarray(DIGEST_BYTES);
      if (!digestOf(body).equals(file.subarray(0, DIGEST_BYTES))) return undefined;
      const blobAt = 4 + body.readUInt32LE(0);
      const { features, handlers, regions } = JSON.parse(body.toString('latin1', 4, blobAt)) as Index;
      const blob = new Uint8Array(body.buffer, body.byteOffset + blobAt, body.length - blobAt);
      return {
        features,
        handlers: handlers === null ? undefined : this.#restored(serializer, blob, handlers),
        regions: regions.map((each) =>
          Object.assign(this.#restored(serializer, blob, each), {
            regions: each.regions.map((region) => ({ ...region, code: blob.subarray(...region.code) })),
          }),
        ),
      };
    } catch {
      return undefined;
    }
  }

  /** Machine code is read, or made, when the module is first needed. */
  #restored(serializer: NativeSerializer, blob: Uint8Array<ArrayBuffer>, stored: StoredModule): RestoredModule {
    const bytes = blob.subarray(...stored.bytes);
    const native = stored.native === null ? undefined : blob.subarray(...stored.native);
    let module: WebAssembly.Module | undefined;
    const restored = {
      bytes,
      get module() {
        module ??= native && serializer.deserialize(native.slice().buffer, bytes.slice());
        module ??= new WebAssembly.Module(bytes);
        return module;
      },
    };
    this.#machineCode.set(restored, { native, optimised: stored.optimised });
    return restored;
  }

  /** A few regions more, or a few more that V8 has optimised meanwhile, are not worth the writing. */
  #isWorthIt(serializer: NativeSerializer, { regions }: GeneratedCode): boolean {
    if (this.stored === undefined) return true;
    const count = (of: GeneratedCode['regions']): number => of.reduce((sum, each) => sum + each.regions.length, 0);
    const optimised = this.stored.regions.reduce(
      (sum, each) => sum + Math.max(0, optimisedIn(serializer, each) - this.#machineCode.get(each)!.optimised),
      0,
    );
    return count(regions) + optimised > count(this.stored.regions) * LEAST_GROWTH;
  }

  /** Adds what a run has generated. A directory that cannot be written costs the next run its head start, and nothing else. */
  save(generated: GeneratedCode): void {
    const serializer = this.#serializer;
    if (serializer === undefined || !this.#isWorthIt(serializer, generated)) return;
    const known = this.stored?.features === generated.features ? this.stored.regions : [];
    const body = this.#bodyOf(serializer, generated, known);
    this.#write(body.length <= MOST_BYTES ? body : this.#bodyOf(serializer, generated, []));
  }

  #bodyOf(
    serializer: NativeSerializer,
    { features, handlers, regions }: GeneratedCode,
    known: GeneratedCode['regions'],
  ): Buffer {
    const pieces: Uint8Array[] = [];
    let length = 0;
    const put = (bytes: Uint8Array): Stretch => {
      pieces.push(bytes);
      length += bytes.length;
      return [length - bytes.length, length];
    };
    const store = (generated: GeneratedModule): StoredModule => {
      const known = this.#machineCode.get(generated);
      const now = optimisedIn(serializer, generated);
      const { native, optimised } =
        now > 0 && now >= (known?.optimised ?? 0)
          ? { native: new Uint8Array(serializer.serialize(generated.module)), optimised: now }
          : (known ?? NOT_OPTIMISED);
      return { bytes: put(generated.bytes), native: native === undefined ? null : put(native), optimised };
    };
    const index: Index = {
      features,
      handlers: handlers === undefined ? null : store(handlers),
      regions: [...known, ...regions].map((each) => ({
        ...store(each),
        regions: each.regions.map((region) => ({ ...region, code: put(region.code) })),
      })),
    };
    const head = Buffer.from(JSON.stringify(index), 'latin1');
    const headLength = Buffer.alloc(4);
    headLength.writeUInt32LE(head.length);
    return Buffer.concat([headLength, head, ...pieces]);
  }

  #write(body: Buffer): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      const temporary = `${this.#path}.${process.pid}`;
      writeFileSync(temporary, digestOf(body));
      writeFileSync(temporary, body, { flag: 'a' });
      renameSync(temporary, this.#path);
      keepNewest(dirname(this.#path), MOST_FILES);
    } catch {
      return;
    }
  }
}

const NOT_OPTIMISED: MachineCode = { native: undefined, optimised: 0 };

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

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
