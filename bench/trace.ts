/** What a trace costs a boot: wall time of whole runs without one, with one, in turns. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrossingRecorder, PageHistory } from '../src/debug/index.ts';
import { debianGuest } from '../src/node/index.ts';
import { CrossingKind, observeAll } from '../src/probe/index.ts';
import { Clock } from '../src/time/index.ts';
import { seamulatorCommand } from './machines.ts';
import { median, type Row } from './table.ts';

/** SPECIFICATION.md, "Seeing" */
const MOST_RATIO = 2;
const MOST_UNTRACED_SHARE = 0.01;
/** as many crossings are counted for the clock to see them */
const COUNTED = 2_000_000;
const ROUNDS = 5;

export interface TraceBench {
  readonly seconds: { readonly plain: number[]; readonly json: number[]; readonly ndjson: number[] };
  readonly bytes: { readonly json: number; readonly ndjson: number };
  /** median with a trace to median without */
  readonly ratio: { readonly json: number; readonly ndjson: number };
  /** crossings of the boot, and what each costs where nobody traces: counting it, and keeping it for a report of death */
  readonly crossings: number;
  readonly untracedNanoseconds: number;
}

/** Tells the observers that are always there of crossings: the median of some rounds. */
function untracedNanoseconds(): number {
  const recorder = new CrossingRecorder();
  recorder.attach({ clock: new Clock(), processors: () => [], gpaw: 48 });
  const observer = observeAll(recorder, new PageHistory());
  const registers = new Int32Array(32);
  const kinds = [CrossingKind.VirtualizationException, CrossingKind.ModuleCall, CrossingKind.VmmCall];
  const nanoseconds = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    for (let i = 0; i < COUNTED; i++) observer.crossing(kinds[i % kinds.length]!, 0, i & 31, i, 0, i, 0, registers);
    return ((performance.now() - start) * 1e6) / COUNTED;
  });
  return median(nanoseconds);
}

function linesOf(path: string): number {
  let lines = 0;
  for (const byte of readFileSync(path)) if (byte === 10) lines++;
  return lines;
}

function boot(...options: string[]): number {
  const start = performance.now();
  const args = ['boot', '--exec', 'true', '--quiet', ...options];
  const { status, stderr } = spawnSync(seamulatorCommand, args, { encoding: 'utf8' });
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
      crossings: linesOf(ndjson),
      untracedNanoseconds: untracedNanoseconds(),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export function traceRows({ seconds, bytes, ratio, crossings, untracedNanoseconds: each }: TraceBench): Row[] {
  const mib = (size: number) => `${(size / 2 ** 20).toFixed(1)} MiB`;
  return [
    { bench: 'trace', name: "Debian's boot to power-off, without a trace", value: median(seconds.plain), unit: 's' },
    {
      bench: 'trace',
      name: `what its ${crossings} crossings cost there, ${each.toFixed(0)} ns each`,
      value: (crossings * each) / 1e9 / median(seconds.plain),
      unit: 'share',
      promised: { of: 'value', atMost: MOST_UNTRACED_SHARE },
    },
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
