/**
 * What the engine has generated, in a form that another run can start from. Nothing in it depends on where a guest's code lies: a region is found
 * again by the bytes that it stands for, at the same offset of any page.
 */

const PAGE_BYTES = 4096;

/** A WebAssembly module and the bytes it was made of. */
export interface GeneratedModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** undefined: of an earlier run, and not what it left */
  readonly module: WebAssembly.Module | undefined;
  /** the one that this run has made of it, when it has needed it */
  instance?: WebAssembly.Instance;
}

/** A compiled region: function `index` of its module. */
export interface GeneratedRegion {
  readonly index: number;
  /** vector states (bits of `VectorState`) whose instructions it leaves to the interpreter, because they fault */
  readonly forbidden: number;
  /** page offset of each block, by block number */
  readonly blocks: readonly number[];
  /** [from, to) page offsets of the code that it stands for */
  readonly spans: readonly (readonly [number, number])[];
  /** the bytes of the spans, one after the other */
  readonly code: Uint8Array;
}

export interface GeneratedRegions extends GeneratedModule {
  readonly regions: readonly GeneratedRegion[];
}

/** All that one platform has generated. */
export interface GeneratedCode {
  /** the instruction features that it was made for, by name: with others, the same bytes may mean something else */
  readonly features: string;
  /** the interpreter's handlers for common shapes */
  readonly handlers: GeneratedModule | undefined;
  /** how instructions become records, by their first bytes: `RecordTemplates.kept`, for these handlers */
  readonly templates: () => Uint8Array;
  /** where pages of code were entered: `KnownPlaces.kept` */
  readonly places: () => Uint8Array;
  readonly regions: readonly GeneratedRegions[];
}

export interface FoundRegion {
  readonly from: GeneratedRegions;
  readonly region: GeneratedRegion;
}

/** Regions by the code that they stand for. They are put in order when the first one is asked for: a TD begins in code that has none. */
export class RegionLibrary {
  readonly #generated: Pick<GeneratedCode, 'regions'>;
  #spans: SpansByOffset | undefined;

  constructor(generated: Pick<GeneratedCode, 'regions'>) {
    this.#generated = generated;
  }

  /** The region with a block at `pageOffset` whose code is what the page holds; `memory[page]` is the page's first byte. */
  find(memory: Uint8Array, page: number, pageOffset: number, forbidden: number): FoundRegion | undefined {
    this.#spans ??= new SpansByOffset(this.#generated.regions);
    return this.#spans.find(memory, page, pageOffset, forbidden);
  }
}

class SpansByOffset {
  /** Spans in the order of their page offsets: where those of an offset begin. */
  readonly #from = new Int32Array(PAGE_BYTES + 2);
  /** of each span, its first bytes, up to four, and which bits of them count */
  readonly #bytes: Int32Array;
  readonly #mask: Int32Array;
  readonly #found: FoundRegion[];

  constructor(generated: readonly GeneratedRegions[]) {
    for (const { regions } of generated)
      for (const { spans } of regions) for (const [start] of spans) this.#from[start + 2]!++;
    for (let offset = 2; offset < PAGE_BYTES + 2; offset++) this.#from[offset]! += this.#from[offset - 1]!;
    const count = this.#from[PAGE_BYTES + 1]!;
    this.#bytes = new Int32Array(count);
    this.#mask = new Int32Array(count);
    this.#found = new Array(count);
    for (const from of generated)
      for (const region of from.regions) {
        const found = { from, region };
        let at = 0;
        for (const [start, end] of region.spans) {
          const i = this.#from[start + 1]!++;
          const mask = end - start < 4 ? (1 << ((end - start) * 8)) - 1 : -1;
          this.#mask[i] = mask;
          this.#bytes[i] = firstBytes(region.code, at) & mask;
          this.#found[i] = found;
          at += end - start;
        }
      }
  }

  /** As `RegionLibrary.find`. */
  find(memory: Uint8Array, page: number, pageOffset: number, forbidden: number): FoundRegion | undefined {
    const first = this.#from[pageOffset]!;
    const last = this.#from[pageOffset + 1]!;
    if (first === last) return undefined;
    const bytes = firstBytes(memory, page + pageOffset);
    for (let i = first; i < last; i++) {
      if (((bytes ^ this.#bytes[i]!) & this.#mask[i]!) !== 0) continue;
      const found = this.#found[i]!;
      const stands = found.region.forbidden === forbidden && holds(found.region, memory, page);
      if (stands && found.from.module !== undefined) return found;
    }
    return undefined;
  }
}

/** Four bytes; 0 for those behind the end. */
const firstBytes = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);

function holds({ spans, code }: GeneratedRegion, memory: Uint8Array, page: number): boolean {
  let at = 0;
  for (const [from, to] of spans) for (let i = from; i < to; i++) if (memory[page + i] !== code[at++]) return false;
  return true;
}
