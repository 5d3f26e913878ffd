/**
 * `npm run bench -- boot compute ... [--rounds N] [--json FILE]`: measures, prints one table, and fails when a promise of SPECIFICATION.md is not
 * met.
 */
import { writeFileSync } from 'node:fs';
import { arch, cpus, release, type } from 'node:os';
import { parseArgs } from 'node:util';
import { runProgram } from '../src/node/index.ts';
import { benchBoot, bootRows } from './boot.ts';
import { benchCompute, computeRows, type Level } from './compute.ts';
import { benchCrossings, crossingRows } from './crossings.ts';
import { benchMemory, memoryRows } from './memory.ts';
import { benchPhases, phaseRows } from './phases.ts';
import { benchStart, startRows } from './start.ts';
import { complaintsOf, type Row, ratioOf, tableOf } from './table.ts';
import { benchTrace, traceRows } from './trace.ts';

interface Measured {
  readonly rows: readonly Row[];
  /** all that was measured, for --json */
  readonly details: unknown;
}

interface Bench {
  readonly rounds: number;
  readonly run: (rounds: number, progress: (text: string) => void) => Promise<Measured>;
}

function bench<T>(
  rounds: number,
  measure: (rounds: number, progress: (text: string) => void) => Promise<T>,
  rowsOf: (details: T) => readonly Row[],
): Bench {
  const run: Bench['run'] = async (count, progress) => {
    const details = await measure(count, progress);
    return { rows: rowsOf(details), details };
  };
  return { rounds, run };
}

const compute = (level: Level): Bench =>
  bench(3, (rounds, progress) => benchCompute(level, rounds, progress), computeRows);

const BENCHES: Readonly<Record<string, Bench>> = {
  boot: bench(5, benchBoot, bootRows),
  compute: compute('v1'),
  'compute-v2': compute('v2'),
  crossings: bench(9, benchCrossings, crossingRows),
  memory: bench(1, (_, progress) => benchMemory(progress), memoryRows),
  phases: bench(1, (_, progress) => benchPhases(progress), phaseRows),
  start: bench(9, benchStart, startRows),
  trace: bench(3, benchTrace, traceRows),
};

/** What the numbers were measured on. */
async function machine(): Promise<Record<string, unknown>> {
  const output = async (program: string, ...args: string[]): Promise<string | undefined> => {
    const finished = await runProgram(program, args).catch(() => undefined);
    return finished?.status === 0 ? finished.stdout.split('\n')[0] : undefined;
  };
  return {
    date: new Date().toISOString(),
    commit: await output('git', '-C', import.meta.dirname, 'describe', '--always', '--dirty'),
    processor: cpus()[0]?.model,
    processors: cpus().length,
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    qemu: await output('qemu-system-x86_64', '--version'),
  };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, json: { type: 'string' } },
});
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
const isUsable = rounds === undefined || (Number.isInteger(rounds) && rounds > 0);
if (positionals.length === 0 || !positionals.every((name) => BENCHES[name] !== undefined) || !isUsable) {
  console.error(
    `usage: npm run bench -- BENCH... [--rounds N] [--json FILE]; BENCH: ${Object.keys(BENCHES).join(', ')}`,
  );
  process.exit(1);
}

const rows: Row[] = [];
const details: Record<string, unknown> = {};
for (const name of positionals) {
  const { rounds: usual, run } = BENCHES[name]!;
  const measured = await run(rounds ?? usual, (text) => console.error(`${name}: ${text}`));
  rows.push(...measured.rows);
  details[name] = measured.details;
}
console.log(tableOf(rows).join('\n'));
if (values.json !== undefined) {
  const withRatios = rows.map((row) => ({ ...row, ratio: ratioOf(row) }));
  writeFileSync(values.json, `${JSON.stringify({ machine: await machine(), rows: withRatios, details }, null, 2)}\n`);
}
const complaints = complaintsOf(rows);
for (const complaint of complaints) console.error(complaint);
if (complaints.length > 0) process.exitCode = 1;
