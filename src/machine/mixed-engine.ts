/** An engine that goes from the interpreter to compiled code and back at points drawn from a seed, for tests: the guest must not be able to tell. */
import {
  type CompiledRegions,
  type EngineMixer,
  type EngineOptions,
  ImmediateRegionCompiler,
  type MixableCode,
  OPERATIONS,
  type RegionCompiler,
  type RegionRequest,
} from '../cpu/index.ts';
import type { InstructionFeature } from '../isa/index.ts';
import { SeededEntropy } from './entropy.ts';

/** not the number of any processor */
const STREAM = 0x6d69_7865;
const NONE: readonly CompiledRegions[] = [];
/** Code is compiled at once at first, later only what is hotter: a boot would spend its time on compiling else. */
const FIRST_VISITS = 2;
const VISITS_PER_REGION = 4;

/** Requests wait for long or not at all, come in any number, are refused though they need not be, and what was compiled is dropped while it runs. */
class SeededMixer implements RegionCompiler, EngineMixer {
  readonly visits = FIRST_VISITS;
  readonly #entropy: SeededEntropy;
  readonly #compiler = new ImmediateRegionCompiler(OPERATIONS, FIRST_VISITS);
  #refused: number[] = [];
  #done: CompiledRegions[] = [];

  constructor(seed: number) {
    this.#entropy = new SeededEntropy(seed, STREAM);
  }

  begin(features: readonly InstructionFeature[]): void {
    this.#compiler.begin(features);
  }

  takes(waiting: number): number {
    return this.#oneIn(4) ? 1 + this.#below(waiting) : 0;
  }

  submit(requests: readonly RegionRequest[]): void {
    const kept = requests.filter(({ id }) => {
      const isRefused = this.#oneIn(16);
      if (isRefused) this.#refused.push(id);
      return !isRefused;
    });
    this.#compiler.submit(kept);
    for (const compiled of this.#compiler.collect()) {
      this.#done.push({ ...compiled, refused: [...compiled.refused, ...this.#refused] });
      this.#refused = [];
    }
  }

  collect(): readonly CompiledRegions[] {
    if (this.#done.length === 0 || !this.#oneIn(8)) return NONE;
    return this.#done.splice(0, 1 + this.#below(this.#done.length));
  }

  mix(code: MixableCode): number {
    code.compileAfter = FIRST_VISITS + code.regionsCompiled * VISITS_PER_REGION;
    if (this.#oneIn(256)) {
      const pages = code.compiledPages;
      if (pages.length > 0) {
        const page = pages[this.#below(pages.length)]!;
        if (this.#oneIn(4)) code.dropRegions(page);
        else code.forgetPage(page);
      }
    }
    // from single instructions to more than a time slice
    return 1 + this.#below(1 << this.#below(22));
  }

  #oneIn(count: number): boolean {
    return this.#below(count) === 0;
  }

  #below(limit: number): number {
    return (this.#entropy.next32() >>> 0) % limit;
  }
}

/** Two engines with the same seed switch at the same points, if they run the same guest. */
export function mixedEngine(seed: number): Pick<EngineOptions, 'compiler' | 'mixer'> {
  const mixer = new SeededMixer(seed);
  return { compiler: mixer, mixer };
}
