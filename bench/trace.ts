/** What a trace costs a boot: wall time of whole runs without one, with one, in turns. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianGuest } from '../src/node/index.ts';

/** SPECIFICATION.md, "Seeing" */
const MOST_RATIO = 2;

export interface TraceBench {
  readonly seconds: { readonly plain: number[]; readonly json: number[]; readonly ndjson: number[] };
  readonly bytes: { readonly json: number; readonly ndjson: number };
  /** median with a trace to median without */
  readonly ratio: { readonly json: number; readonly ndjson: number };
}

function boot(...options: string[]): number {
  const start = performance.now();
  const command = [join(import.meta.dirname, '../../bin/seamulator'), 'boot', '--exec', 'true', '--quiet', ...options];
  const { status, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the boot ended with ${status}: ${stderr.slice(-2000)}`);
  return (performance.now() - start) / 1000;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

export async function benchTrace(rounds: number, progress: (text: string) => void): Promise<TraceBench> {
  await debianGuest({ onProgress: progress });
  const directory = mkdtempSync(join(tmpdir(), 'seamulator-bench-'));
  const [json, ndjson] = [join(directory, 'trace.json'), join(directory, 'trace.ndjson')];
  try {
    const seconds: TraceBench['seconds'] = { plain: [], json: [], ndjson: [] };
    for (let round = 0; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      seconds.plain.push(boot());
      seconds.json.push(boot('--trace', json));
      seconds.ndjson.push(boot('--trace', ndjson));
    }
    const plain = median(seconds.plain);
    return {
      seconds,
      bytes: { json: statSync(json).size, ndjson: statSync(ndjson).size },
      ratio: { json: median(seconds.json) / plain, ndjson: median(seconds.ndjson) / plain },
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Prints the table; returns a sentence for each promise that is not met. */
export function reportTrace({ seconds, bytes, ratio }: TraceBench, rounds: number): string[] {
  const mib = (size: number) => `${(size / 2 ** 20).toFixed(1)} MiB`;
  console.log(`Debian's boot to power-off, median of ${rounds}:`);
  console.log(`  without a trace    ${median(seconds.plain).toFixed(2)} s`);
  for (const form of ['json', 'ndjson'] as const)
    console.log(
      `  --trace x.${form.padEnd(8)} ${median(seconds[form]).toFixed(2)} s, ${ratio[form].toFixed(2)} times, ${mib(bytes[form])}`,
    );
  return (['json', 'ndjson'] as const)
    .filter((form) => ratio[form] > MOST_RATIO)
    .map((form) => `a .${form} trace makes a boot ${ratio[form].toFixed(2)} times as long; promised: ${MOST_RATIO}`);
}
