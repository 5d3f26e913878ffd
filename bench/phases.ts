/** Where a boot's time goes: `seamulator boot --stats`, the first boot of a guest and a later one. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatsReport } from '../src/cli/run-stats.ts';
import { busyboxInitramfs, debianGuest, PHASES } from '../src/node/index.ts';
import { ourArguments, seamulatorCommand } from './machines.ts';
import type { Row } from './table.ts';

const BOOTS = { first: 'first boot', later: 'later boot', interpreter: 'interpreter alone' } as const;

export type PhaseBench = Readonly<Record<keyof typeof BOOTS, StatsReport>>;

export async function benchPhases(progress: (text: string) => void): Promise<PhaseBench> {
  const guest = await debianGuest({ onProgress: progress });
  const directory = mkdtempSync(join(tmpdir(), 'seamulator-bench-'));
  try {
    const [initrd, report] = [join(directory, 'initrd'), join(directory, 'report.json')];
    writeFileSync(initrd, busyboxInitramfs(await readFile(guest.busybox), 'true'));
    const boot = (what: string, ...more: string[]): StatsReport => {
      progress(what);
      const args = [...ourArguments({ kernel: guest.kernel, initrd }), '--stats', '--json', report, ...more];
      const env = { ...process.env, XDG_CACHE_HOME: join(directory, 'cache') };
      const { status, stderr } = spawnSync(seamulatorCommand, args, { encoding: 'utf8', env, maxBuffer: 64 << 20 });
      if (status !== 0) throw new Error(`the boot ended with ${status}: ${stderr.slice(-2000)}`);
      return (JSON.parse(readFileSync(report, 'utf8')) as { stats: StatsReport }).stats;
    };
    return {
      first: boot(BOOTS.first),
      later: boot(BOOTS.later),
      interpreter: boot(BOOTS.interpreter, '--engine', 'interpreter'),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export function phaseRows(boots: PhaseBench): Row[] {
  return Object.entries(BOOTS).flatMap(([key, boot]) => {
    const { phaseMilliseconds, compilingThreadMilliseconds } = boots[key as keyof PhaseBench];
    const row = (name: string, value: number): Row => ({
      bench: 'phases',
      name: `${boot}: ${name}`,
      value,
      unit: 'ms',
    });
    const phases = PHASES.map(([phase, name]) => row(name, phaseMilliseconds[phase])).filter(({ value }) => value >= 1);
    phases.sort((a, b) => b.value - a.value);
    return compilingThreadMilliseconds === null
      ? phases
      : [...phases, row('the thread that compiles, meanwhile', compilingThreadMilliseconds)];
  });
}
