/**
 * Generated code on disk, so that the next run of the same guest starts with what this one has compiled, optimised machine code included.
 * What it holds can be made anew at any time: a file that is missing, old, damaged, or of another V8 is as good as none.
 */
import { createHash } from 'node:crypto';
import { fstatSync, mkdirSync, openSync, readFileSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { GeneratedCode, GeneratedModule, GeneratedRegion, GeneratedRegions } from '../cpu/index.ts';
import { cacheDirectory, keepNewest } from './cache-directory.ts';
import { HAS_KNOWN_SERIALIZER } from './v8-flags.ts';

/** A file that has grown beyond this is begun anew. */
const MOST_BYTES = 256 << 20;
/** Guests, and builds of ours, that are remembered. */
const MOST_FILES = 8;
/** Share of regions, new ones or newly optimised ones, from which on the file is written again. */
const LEAST_GROWTH = 0.05;
const DIGEST_BYTES = 32;
/** Of the index and of the code of regions, both after the digest. */
const LENGTHS_BYTES = 8;

/** A stretch of the code of regions, or of what the modules are made of. */
type Stretch = readonly [from: number, to: number];

interface StoredModule {
  readonly bytes: Stretch;
  /** machine code, by V8; none of a module none of whose functions was hot enough to be optimised */
  readonly native: Stretch | null;
  /** of the bytes and of the machine code, which is next to them */
  readonly digest: string;
  /** functions that the machine code has, as far as they are exported; the others are compiled anew */
  readonly optimised: number;
}
interface StoredRegions extends StoredModule {
  /** a region with the bytes of its code as a stretch of them all */
  readonly regions: readonly (Omit<GeneratedRegion, 'code'> & { readonly code: Stretch })[];
}
interface Index {
  readonly features: string;
  readonly handlers: StoredModule | null;
  /** in the same place as the code of regions */
  readonly templates: Stretch;
  readonly regions: readonly StoredRegions[];
}

type RestoredModule = Pick<GeneratedModule, 'bytes' | 'module'>;

interface MachineCode {
  readonly native: Uint8Array | undefined;
  readonly optimised: number;
}
interface ModuleParts {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly native: Uint8Array<ArrayBuffer> | undefined;
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

/** Of a kernel, as many stretches of so many bytes. */
const SAMPLES = 64;
const SAMPLE_BYTES = 1024;

/**
 * What tells guests with different kernels apart here. Not all of a kernel is read for it: kept code is compared with the guest's before it
 * runs, so kernels that are as much alike as that may well share it.
 */
export function kernelKey(kernel: Uint8Array): string {
  const hash = createHash('sha256').update(`${kernel.length}`);
  for (let i = 0; i < SAMPLES; i++) {
    const at = Math.floor((i * kernel.length) / SAMPLES);
    hash.update(kernel.subarray(at, at + SAMPLE_BYTES));
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
   * The file: a digest of what follows up to the modules; the lengths of the index, which is JSON, and of the code of all regions; both of
   * them; the modules. Of these each has its own digest, and is read when it is first needed.
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
      const { features, handlers, templates, regions } = JSON.parse(
        head.toString('latin1', LENGTHS_BYTES, codeAt),
      ) as Index;
      const code = new Uint8Array(head.buffer, head.byteOffset + codeAt, head.length - codeAt);
      const modulesAt = DIGEST_BYTES + head.length;
      const restored = (stored: StoredModule) => this.#restored(serializer, file, modulesAt, stored);
      const read: GeneratedCode = {
        features,
        handlers: handlers === null ? undefined : restored(handlers),
        templates: () => code.subarray(...templates),
        regions: regions.map((each) =>
          withRegions(
            restored(each),
            each.regions.map((region) => ({ ...region, code: code.subarray(...region.code) })),
          ),
        ),
      };
      return read.handlers !== undefined && read.handlers.module === undefined ? undefined : read;
    } catch {
      return undefined;
    }
  }

  /** Machine code is read, or made, when the module is first needed. */
  #restored(serializer: NativeSerializer, file: number, modulesAt: number, stored: StoredModule): RestoredModule {
    let parts: ModuleParts | null | undefined;
    const read = () => {
      if (parts === undefined) parts = modulePartsAt(file, modulesAt, stored);
      return parts;
    };
    let module: WebAssembly.Module | undefined;
    const restored: RestoredModule = {
      get bytes() {
        return read()?.bytes ?? new Uint8Array();
      },
      get module() {
        const whole = read();
        if (whole === null) return undefined;
        module ??= whole.native && serializer.deserialize(whole.native.buffer, whole.bytes);
        module ??= new WebAssembly.Module(whole.bytes);
        return module;
      },
    };
    this.#machineCode.set(restored, {
      get native() {
        return read()?.native;
      },
      optimised: stored.optimised,
    });
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
    const isTooMuch = body.head.length + body.modules.lengthBytes > MOST_BYTES;
    this.#write(isTooMuch ? this.#bodyOf(serializer, generated, []) : body);
  }

  #bodyOf(
    serializer: NativeSerializer,
    { features, handlers, templates, regions }: GeneratedCode,
    known: GeneratedCode['regions'],
  ): FileBody {
    const code = new Pieces();
    const modules = new Pieces();
    const store = (generated: GeneratedModule): StoredModule => {
      const known = this.#machineCode.get(generated);
      const now = optimisedIn(serializer, generated);
      const { native, optimised } =
        now > 0 && now >= (known?.optimised ?? 0)
          ? { native: new Uint8Array(serializer.serialize(generated.module!)), optimised: now }
          : (known ?? NOT_OPTIMISED);
      return {
        bytes: modules.put(generated.bytes),
        native: native === undefined ? null : modules.put(native),
        digest: digestOf(generated.bytes, native).toString('base64'),
        optimised,
      };
    };
    const whole = known.filter(({ bytes }) => bytes.length > 0);
    const index: Index = {
      features,
      handlers: handlers === undefined ? null : store(handlers),
      templates: code.put(templates()),
      regions: [...whole, ...regions].map((each) => ({
        ...store(each),
        regions: each.regions.map((region) => ({ ...region, code: code.put(region.code) })),
      })),
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
      writeFileSync(temporary, digestOf(head));
      writeFileSync(temporary, Buffer.concat([head, ...modules.pieces]), { flag: 'a' });
      renameSync(temporary, this.#path);
      keepNewest(dirname(this.#path), MOST_FILES);
    } catch {
      return;
    }
  }
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

/** null: it is not what was written. Each part has a buffer of its own, which V8 takes as it is. */
function modulePartsAt(file: number, modulesAt: number, stored: StoredModule): ModuleParts | null {
  const read = ([from, to]: Stretch) => new Uint8Array(readAt(file, modulesAt + from, to - from).buffer);
  try {
    const bytes = read(stored.bytes);
    const native = stored.native === null ? undefined : read(stored.native);
    return digestOf(bytes, native).toString('base64') === stored.digest ? { bytes, native } : null;
  } catch {
    return null;
  }
}

/** Throws a RangeError if the file ends before. */
function readAt(file: number, position: number, lengthBytes: number): Buffer<ArrayBuffer> {
  if (position + lengthBytes > fstatSync(file).size) throw new RangeError('the file is shorter than it says');
  const bytes = Buffer.allocUnsafeSlow(lengthBytes);
  for (let done = 0; done < lengthBytes; ) {
    const read = readSync(file, bytes, done, lengthBytes - done, position + done);
    if (read === 0) throw new RangeError('the file was cut');
    done += read;
  }
  return bytes;
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

function digestOf(...pieces: readonly (Uint8Array | undefined)[]): Buffer {
  const hash = createHash('sha256');
  for (const piece of pieces) if (piece !== undefined) hash.update(piece);
  return hash.digest();
}
