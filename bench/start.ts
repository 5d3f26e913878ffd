/** From process start to the guest's first instruction, of a guest that has run before: Debian's kernel, as `seamulator boot` finds it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianGuest } from '../src/node/index.ts';
import { seamulatorCommand } from './machines.ts';
import { median, type Row } from './table.ts';

/** SPECIFICATION.md, "Speed and memory" */
const MOST_MILLISECONDS = 300;
/** `--max-instructions` was reached */
const LIMIT_REACHED = 4;

export interface StartBench {
  /** of each run, in order */
  readonly milliseconds: readonly number[];
}

export async function benchStart(rounds: number, progress: (text: string) => void): Promise<StartBench> {
  await debianGuest({ onProgress: progress });
  const directory = mkdtempSync(join(tmpdir(), 'seamulator-bench-'));
  try {
    const report = join(directory, 'report.json');
    const boot = (instructions: number): number => {
      const limit = ['--max-instructions', `${instructions}`];
      const args = ['boot', '--exec', 'true', '--quiet', ...limit, '--json', report];
      const { status, stderr } = spawnSync(seamulatorCommand, args, { encoding: 'utf8' });
      if (status !== LIMIT_REACHED) throw new Error(`the boot ended with ${status}: ${stderr.slice(-2000)}`);
      const { firstInstructionMilliseconds } = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
      return firstInstructionMilliseconds!;
    };
    progress('a run that leaves something for the next ones');
    boot(300_000_000);
    progress(`${rounds} starts`);
    return { milliseconds: Array.from({ length: rounds }, () => boot(1)) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export function startRows({ milliseconds }: StartBench): Row[] {
  return [
    {
      bench: 'start',
      name: 'process start to the first instruction',
      value: median(milliseconds),
      unit: 'ms',
      promised: { of: 'value', atMost: MOST_MILLISECONDS },
    },
  ];
}
