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
  readonly regions: readonly GeneratedRegions[];
}

export interface FoundRegion {
  readonly from: GeneratedRegions;
  readonly region: GeneratedRegion;
}

/** Regions by the code that they stand for. */
export class RegionLibrary {
  /** by the page offset where one of their spans begins */
  readonly #byStart: FoundRegion[][] = Array.from({ length: PAGE_BYTES }, () => NONE);

  constructor(generated: readonly GeneratedRegions[]) {
    for (const from of generated)
      for (const region of from.regions) {
        const found = { from, region };
        for (const [start] of region.spans) {
          if (this.#byStart[start] === NONE) this.#byStart[start] = [found];
          else this.#byStart[start]!.push(found);
        }
      }
  }

  /** The region with a block at `pageOffset` whose code is what the page holds; `memory[page]` is the page's first byte. */
  find(memory: Uint8Array, page: number, pageOffset: number, forbidden: number): FoundRegion | undefined {
    const candidates = this.#byStart[pageOffset]!;
    for (let i = 0; i < candidates.length; i++) {
      const { from, region } = candidates[i]!;
      const stands = region.forbidden === forbidden && holds(region, memory, page);
      if (stands && from.module !== undefined) return candidates[i];
    }
    return undefined;
  }
}

const NONE: FoundRegion[] = [];

function holds({ spans, code }: GeneratedRegion, memory: Uint8Array, page: number): boolean {
  let at = 0;
  for (const [from, to] of spans) for (let i = from; i < to; i++) if (memory[page + i] !== code[at++]) return false;
  return true;
}
