/** What a trace costs a boot: wall time of whole runs without one, with one, in turns. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianGuest } from '../src/node/index.ts';
import { seamulatorCommand } from './machines.ts';
import { median, type Row } from './table.ts';

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
  const command = [seamulatorCommand, 'boot', '--exec', 'true', '--quiet', ...options];
  const { status, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the boot ended with ${status}: ${stderr.slice(-2000)}`);
  return (performance.now() - start) / 1000;
}

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

export function traceRows({ seconds, bytes, ratio }: TraceBench): Row[] {
  const mib = (size: number) => `${(size / 2 ** 20).toFixed(1)} MiB`;
  return [
    { bench: 'trace', name: "Debian's boot to power-off, without a trace", value: median(seconds.plain), unit: 's' },
    ...(['json', 'ndjson'] as const).map(
      (form): Row => ({
        bench: 'trace',
        name: `with --trace x.${form}, ${mib(bytes[form])}: times as long`,
        value: ratio[form],
        unit: 'times',
        promised: { of: 'value', atMost: MOST_RATIO },
      }),
    ),
  ];
}
