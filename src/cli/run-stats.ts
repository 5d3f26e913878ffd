/** `--stats`: where the time of a run goes. */
import type { EngineStatistics } from '../cpu/index.ts';
import type { TdxPlatform } from '../machine/index.ts';
import { PHASES, PhaseSampler, type PhaseTimes, type RegionThread } from '../node/index.ts';

/** The part `stats` of the report as JSON. */
export interface StatsReport {
  /** by phase of the main thread, from when the options were read */
  readonly phaseMilliseconds: PhaseTimes;
  /** work of the thread that compiles; null: there is none */
  readonly compilingThreadMilliseconds: number | null;
  readonly engine: EngineStatistics;
}

/** Samples from when it is made. */
export class RunStats {
  readonly #sampler = PhaseSampler.start();
  #thread: RegionThread | undefined;

  watch(thread: RegionThread): void {
    this.#thread = thread;
  }

  end(platform: TdxPlatform): StatsReport {
    return {
      phaseMilliseconds: this.#sampler.stop(),
      compilingThreadMilliseconds: this.#thread?.busyMilliseconds ?? null,
      engine: platform.processors.statistics,
    };
  }
}

const row = (name: string, value: string): string => `${name.padEnd(46)}${value.padStart(12)}`;
const milliseconds = (value: number): string => `${value.toFixed(0)} ms`;

export function formatRunStats(stats: StatsReport): string {
  const { phaseMilliseconds, engine } = stats;
  const total = Object.values(phaseMilliseconds).reduce((sum, value) => sum + value, 0);
  const lines = [row('Where the time went', milliseconds(total))];
  const phases = PHASES.map(([phase, name]) => [name, phaseMilliseconds[phase]] as const);
  for (const [name, value] of phases.filter(([, value]) => value > 0).sort((a, b) => b[1] - a[1]))
    lines.push(`${row(`  ${name}`, milliseconds(value))}${((100 * value) / total).toFixed(1).padStart(7)} %`);
  lines.push('');
  if (stats.compilingThreadMilliseconds !== null)
    lines.push(row('The thread that compiles', milliseconds(stats.compilingThreadMilliseconds)));
  lines.push(
    row('Instructions decoded', `${engine.instructionsDecoded}`),
    row('Regions compiled in this run', `${engine.regionsCompiled}`),
    row('Instructions in them', `${engine.instructionsCompiled}`),
    row('Modules of the interpreter', `${engine.modulesMade}`),
    row('Times that everything decoded was dropped', `${engine.timesDropped}`),
  );
  return lines.join('\n');
}
