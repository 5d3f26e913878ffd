/** The platform whole: processors, host memory, TDX module, untrusted host, and a board for each TD. */
import { MODULE_1_5, type ModuleVersion, type TdParams } from '../abi/index.ts';
import type { QuoteVersion } from '../attestation/index.ts';
import { SnapshotError, type StateVisitor } from '../bits/index.ts';
import { type EngineOptions, type LogicalProcessor, ProcessorComplex } from '../cpu/index.ts';
import { OPTIONAL_FEATURES } from '../isa/index.ts';
import type { LoadPlan } from '../loader/index.ts';
import { HostMemory } from '../memory/index.ts';
import { SharedView } from '../memory/shared-view.ts';
import { type CrossingObserver, NULL_OBSERVER } from '../probe/index.ts';
import { type CpuProfile, MINIMAL_PROFILE, TdxModule } from '../seam/index.ts';
import { Clock } from '../time/index.ts';
import {
  DEFAULT_HOST_PROFILE,
  type HostProfile,
  QuotingService,
  type TdAttachments,
  type TdHost,
  type TdIdentity,
  Vmm,
  type VmmHooks,
} from '../vmm/index.ts';
import { DEFAULT_SEED, DEFAULT_START_UNIX_SECONDS, hostMemoryFor } from './config.ts';
import { solderBoard } from './devices.ts';
import { SeededEntropy } from './entropy.ts';
import { mixedEngine } from './mixed-engine.ts';
import { type ContentionRates, SeededContention } from './seeded-contention.ts';
import { SeededTurns } from './seeded-turns.ts';
import { Td } from './td.ts';

export type EngineChoice = 'compiler' | 'interpreter' | 'mixed';

export interface PlatformOptions {
  /** memory of all TDs together, in bytes; the host gets what it needs on top */
  readonly memoryBytes: number;
  /** of everything random: an integer below 2^53 */
  readonly seed?: number;
  /** locks that are busy and leaves that are interrupted when a TD calls the module; default: none */
  readonly contention?: ContentionRates;
  /** date and time at power-on, Unix seconds */
  readonly startUnixSeconds?: number;
  /** which host's answers the VMM gives; default: QEMU's on KVM */
  readonly hostProfile?: HostProfile;
  /** a script in the host's place */
  readonly hostHooks?: VmmHooks;
  /** which TDX module: MODULE_1_5 (the default) or MODULE_2_0 */
  readonly moduleVersion?: ModuleVersion;
  /** what the processors are: one of CPU_PROFILES; default: MINIMAL_PROFILE */
  readonly cpu?: CpuProfile;
  /**
   * how guests are executed, the same bits always: hot code compiled (the default), everything interpreted, or, for tests, both in turn, at
   * points that the seed chooses
   */
  readonly engine?: EngineChoice;
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
  readonly #entropies: SeededEntropy[] = [];
  readonly #tds: Td[] = [];

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
      ...(options.engine === 'mixed' && mixedEngine(seed)),
      features: OPTIONAL_FEATURES.filter((feature) => cpu.features.includes(feature)),
    });
    this.module = new TdxModule({
      memory: this.memory,
      clock: this.clock,
      seed,
      version: options.moduleVersion ?? MODULE_1_5,
      cpuProfile: cpu,
      createProcessor: (index) => {
        const entropy = new SeededEntropy(seed, index);
        this.#entropies.push(entropy);
        const processor = this.processors.create(entropy);
        this.#logicalProcessors.push(processor);
        return processor;
      },
      contention: options.contention === undefined ? undefined : new SeededContention(seed, options.contention),
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

  /** In the order they were built. */
  get tds(): readonly Td[] {
    return this.#tds;
  }

  /**
   * Everything but the contents of memory; see src/machine/snapshot.ts. Restoring into a platform that has no TDs makes them.
   * Throws a SnapshotError for what cannot be kept, or does not fit.
   * @param options of TDs that are made
   */
  visitState(state: StateVisitor, options: TdOptions = {}): void {
    const alarms = this.#tds.reduce((sum, { host }) => sum + host.alarmCount, 0);
    if (!state.restoring && this.clock.alarmCount !== alarms)
      throw new SnapshotError('something waits for an alarm that nobody could set again: a quote, or a script');
    state.part('clock', this.clock);
    state.array('keyIdOfPage', this.memory.keyIdOfPage);
    state.array('writtenPage', this.memory.writtenPage);
    state.part('vmm', this.vmm);
    state.part('module', this.module);
    state.part('turns', this.#turns);
    state.list('entropies', this.#entropies.length, (item, index) => this.#entropies[index]!.visitState(item));
    state.part('processors', this.processors);
    state.list('tds', this.#tds.length, (item, index) => {
      const identity = visitIdentity(item, this.#tds[index]?.host.identity);
      const td = this.#tds[index] ?? this.#holdTd(options, (attachments) => this.vmm.reviveTd(identity, attachments));
      td.visitState(item);
    });
  }

  /** Builds a TD from a plan, measured and ready to run. */
  buildTd(plan: LoadPlan, options: TdOptions = {}): Td {
    return this.#holdTd(options, (attachments) => this.vmm.buildTd(plan, attachments, options.params));
  }

  #holdTd(options: TdOptions, make: (attachments: TdAttachments) => TdHost): Td {
    const board = solderBoard({
      clock: this.clock,
      startUnixSeconds: this.#options.startUnixSeconds ?? DEFAULT_START_UNIX_SECONDS,
      consoleOutput: options.consoleOutput ?? (() => {}),
      power: (event) => host.stop({ cause: event }),
      interrupt: (message) => host.deliver(message),
    });
    const host = make({
      clock: this.clock,
      ports: board.ports,
      mmio: board.mmio,
      hooks: this.#options.hostHooks ?? {},
      profile: this.#options.hostProfile ?? DEFAULT_HOST_PROFILE,
      turnTicks: this.#turns.next,
      mapGpaChunkBytes: options.mapGpaChunkBytes ?? Number.POSITIVE_INFINITY,
      quoting: this.quoting,
    });
    const td = new Td(host, board.serial, this.clock);
    this.#tds.push(td);
    return td;
  }
}

/** @param identity of a TD that exists; else it comes from the snapshot */
function visitIdentity(state: StateVisitor, identity: TdIdentity | undefined): TdIdentity {
  const tdrHpa = state.number('tdrHpa', identity?.tdrHpa ?? 0);
  const tscOriginTicks = state.number('tscOriginTicks', identity?.tscOriginTicks ?? 0);
  const starts = state.numbers('ramStarts', identity?.ram.map(({ startGpa }) => startGpa) ?? []);
  const lengths = state.numbers('ramLengths', identity?.ram.map(({ lengthBytes }) => lengthBytes) ?? []);
  const tdvprHpas = state.numbers('tdvprHpas', identity?.tdvprHpas ?? []);
  if (identity !== undefined && identity.tdrHpa !== tdrHpa) throw new SnapshotError('the platform has other TDs');
  const ram = starts.map((startGpa, i) => ({ startGpa, lengthBytes: lengths[i]! }));
  return { tdrHpa, tscOriginTicks, ram, tdvprHpas };
}
