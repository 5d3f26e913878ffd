/** The platform whole: processors, host memory, TDX module, untrusted host, and a board for each TD. */
import { MODULE_1_5, type ModuleVersion, type TdParams } from '../abi/index.ts';
import type { QuoteVersion } from '../attestation/index.ts';
import { type EngineOptions, type LogicalProcessor, ProcessorComplex } from '../cpu/index.ts';
import { OPTIONAL_FEATURES } from '../isa/index.ts';
import type { LoadPlan } from '../loader/index.ts';
import { HostMemory } from '../memory/index.ts';
import { SharedView } from '../memory/shared-view.ts';
import { type CrossingObserver, NULL_OBSERVER } from '../probe/index.ts';
import { type CpuProfile, MINIMAL_PROFILE, TdxModule } from '../seam/index.ts';
import { Clock } from '../time/index.ts';
import { QuotingService, Vmm, type VmmHooks } from '../vmm/index.ts';
import { DEFAULT_SEED, DEFAULT_START_UNIX_SECONDS, hostMemoryFor } from './config.ts';
import { solderBoard } from './devices.ts';
import { SeededEntropy } from './entropy.ts';
import { SeededTurns } from './seeded-turns.ts';
import { Td } from './td.ts';

export interface PlatformOptions {
  /** memory of all TDs together, in bytes; the host gets what it needs on top */
  readonly memoryBytes: number;
  /** of everything random: an integer below 2^53 */
  readonly seed?: number;
  /** date and time at power-on, Unix seconds */
  readonly startUnixSeconds?: number;
  /** a script in the host's place */
  readonly hostHooks?: VmmHooks;
  /** which TDX module: MODULE_1_5 (the default) or MODULE_2_0 */
  readonly moduleVersion?: ModuleVersion;
  /** what the processors are: one of CPU_PROFILES; default: MINIMAL_PROFILE */
  readonly cpu?: CpuProfile;
  /** how guests are executed, the same bits either way: hot code compiled (the default), or everything interpreted */
  readonly engine?: 'compiler' | 'interpreter';
  /** format of the quotes that guests get: 4 (the default) or 5 */
  readonly quoteVersion?: QuoteVersion;
  /** how the compiler works: on a thread, say, or with what an earlier run has compiled; the same bits always */
  readonly compilation?: EngineOptions;
  /** sees every crossing of a TD's border */
  readonly observer?: CrossingObserver;
}

export interface TdOptions {
  /** a byte left the serial port */
  readonly consoleOutput?: (byte: number) => void;
  /** what differs from the host's usual TD_PARAMS */
  readonly params?: Partial<TdParams>;
  /** bytes that one MapGPA converts before the guest is told to ask again; default: all */
  readonly mapGpaChunkBytes?: number;
}

/** Everything a run depends on is in the options, the plan and what is typed: two platforms given the same do the same. */
export class TdxPlatform {
  readonly clock = new Clock();
  readonly memory: HostMemory;
  readonly processors: ProcessorComplex;
  readonly module: TdxModule;
  readonly vmm: Vmm;
  /** makes quotes for every TD of this platform, under the test authority */
  readonly quoting: QuotingService;
  readonly #options: PlatformOptions;
  readonly #logicalProcessors: LogicalProcessor[] = [];
  readonly #turns: SeededTurns;

  /** Throws a RangeError if the memory is no memory. */
  constructor(options: PlatformOptions) {
    this.#options = options;
    const seed = options.seed ?? DEFAULT_SEED;
    const cpu = options.cpu ?? MINIMAL_PROFILE;
    this.#turns = new SeededTurns(seed);
    this.memory = new HostMemory(hostMemoryFor(options.memoryBytes));
    this.processors = new ProcessorComplex(this.memory, this.clock, {
      ...options.compilation,
      ...(options.engine === 'interpreter' && { compiler: null }),
      features: OPTIONAL_FEATURES.filter((feature) => cpu.features.includes(feature)),
    });
    this.module = new TdxModule({
      memory: this.memory,
      clock: this.clock,
      seed,
      version: options.moduleVersion ?? MODULE_1_5,
      cpuProfile: cpu,
      createProcessor: (index) => {
        const processor = this.processors.create(new SeededEntropy(seed, index));
        this.#logicalProcessors.push(processor);
        return processor;
      },
      observer: options.observer ?? NULL_OBSERVER,
    });
    this.vmm = new Vmm(this.module.hostDoor, new SharedView(this.memory));
    this.quoting = new QuotingService(this.module, options.quoteVersion);
  }

  /** Instructions that guests tried and no processor here has: each raised #UD. Name to count. */
  get unimplementedInstructions(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { unimplemented } of this.#logicalProcessors) {
      for (const [name, count] of unimplemented) counts.set(name, (counts.get(name) ?? 0) + count);
    }
    return counts;
  }

  /** Builds a TD from a plan, measured and ready to run. */
  buildTd(plan: LoadPlan, options: TdOptions = {}): Td {
    const board = solderBoard({
      clock: this.clock,
      startUnixSeconds: this.#options.startUnixSeconds ?? DEFAULT_START_UNIX_SECONDS,
      consoleOutput: options.consoleOutput ?? (() => {}),
      power: (event) => host.stop({ cause: event }),
      interrupt: (message) => host.deliver(message),
    });
    const host = this.vmm.buildTd(
      plan,
      {
        clock: this.clock,
        ports: board.ports,
        mmio: board.mmio,
        hooks: this.#options.hostHooks ?? {},
        turnTicks: this.#turns.next,
        mapGpaChunkBytes: options.mapGpaChunkBytes ?? Number.POSITIVE_INFINITY,
        quoting: this.quoting,
      },
      options.params,
    );
    return new Td(host, board.serial, this.clock);
  }
}
