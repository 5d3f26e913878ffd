/**
 * Ten kernels of compute.c, built here, on the host's processor, in a TD, and under QEMU's TCG. Guest time is virtual: what is measured is
 * wall time between the marks that the program prints.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planLinuxBoot, writeCpio } from '../src/loader/index.ts';
import { BOARD, buildShimRom, TdxPlatform } from '../src/machine/index.ts';
import { debianGuest, RegionThread, runProgram } from '../src/node/index.ts';
import { setEngineFlags } from '../src/node/v8-flags.ts';
import { APPEND, isMissing, MEMORY_MIB, NO_QEMU, QEMU, qemuArguments } from './machines.ts';
import { median, type Row } from './table.ts';

export const KERNELS = [
  ...[
    'integer-mix',
    'sha256',
    'arithmetic',
    'n-body',
    'sieve',
    'crc32',
    'quicksort',
    'bytecode',
    'copy',
    'strided-sum',
  ],
] as const;

/** Levels of the x86-64 psABI that the kernels are built for; our smallest processor has both. */
export const LEVELS = { v1: 'x86-64', v2: 'x86-64-v2' } as const;
export type Level = keyof typeof LEVELS;

/** Times that each kernel runs in a row: the first one warms up, the median counts. */
const REPETITIONS = 3;
const DONE = '<done>';

/** Seconds of each run by kernel, and what it computed. */
type Times = Map<string, { seconds: number[]; result: string }>;

/** Reads `<name result>` as it comes, byte by byte or in pieces, and when. */
class MarkReader {
  readonly times: Times = new Map();
  #text = '';
  #name: string | undefined;
  #start = 0;

  read(text: string): void {
    const now = performance.now();
    this.#text += text;
    for (;;) {
      const match = this.#name === undefined ? /<([a-z0-9-]+) /.exec(this.#text) : /^([0-9a-f]+)>/.exec(this.#text);
      if (match === null) return;
      this.#text = this.#text.slice(match.index + match[0].length);
      if (this.#name === undefined) {
        this.#name = match[1]!;
        this.#start = now;
        continue;
      }
      const known = this.times.get(this.#name) ?? { seconds: [], result: match[1]! };
      known.seconds.push((now - this.#start) / 1000);
      this.times.set(this.#name, known);
      this.#name = undefined;
    }
  }
}

async function build(directory: string, level: Level): Promise<string> {
  const program = join(directory, 'compute');
  const source = join(import.meta.dirname, '../../bench/compute.c');
  // loops stay what they are: no calls of a library that looks for the processor it knows best, no vectors
  const loops = ['-fno-tree-vectorize', '-fno-tree-loop-distribute-patterns'];
  const { status, stderr } = await runProgram('cc', [
    '-O2',
    '-static',
    `-march=${LEVELS[level]}`,
    ...loops,
    '-o',
    program,
    source,
  ]);
  if (status !== 0) throw new Error(`compute.c did not compile: ${stderr}`);
  return program;
}

/** Runs a program that prints marks. Throws what `spawn` throws. */
function timed(command: string, args: readonly string[]): Promise<Times> {
  return new Promise((resolve, reject) => {
    const reader = new MarkReader();
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk: Buffer) => reader.read(chunk.toString('latin1')));
    child.on('error', reject);
    child.on('close', () => resolve(reader.times));
  });
}

/** As init of a guest. */
function initramfs(program: Uint8Array): Uint8Array {
  return writeCpio([
    { path: 'dev', mode: 0o040755 },
    { path: 'dev/console', mode: 0o020600, device: [5, 1] },
    { path: 'init', mode: 0o100755, content: program },
  ]);
}

async function inTd(kernel: Uint8Array, initrd: Uint8Array, append: string): Promise<Times> {
  const memoryBytes = MEMORY_MIB << 20;
  const thread = new RegionThread((reason) => {
    throw new Error(`the thread that compiles is gone: ${reason}`);
  });
  const reader = new MarkReader();
  let rest = '';
  try {
    const platform = new TdxPlatform({ memoryBytes, compilation: { compiler: thread } });
    const plan = planLinuxBoot({
      kernel: { name: 'kernel', bytes: kernel },
      initrd: { name: 'initramfs', bytes: initrd },
      commandLine: append,
      memoryBytes,
      vcpus: 1,
      board: BOARD,
      shim: buildShimRom(),
    });
    const consoleOutput = (byte: number): void => {
      const letter = String.fromCharCode(byte);
      reader.read(letter);
      rest = (rest + letter).slice(-DONE.length);
      if (rest === DONE) td.stop();
    };
    const td = platform.buildTd(plan, { consoleOutput });
    const { end } = td.run();
    if (end.cause !== 'stopped') throw new Error(`the TD ended with ${end.cause}`);
  } finally {
    await thread.close();
  }
  return reader.times;
}

export interface ComputeBench {
  readonly level: Level;
  /** seconds: median of all runs but what warms up */
  readonly native: Readonly<Record<string, number>>;
  readonly ours: Readonly<Record<string, number>>;
  readonly qemu?: Readonly<Record<string, number>>;
}

function secondsOf(runs: readonly Times[]): Record<string, number> {
  return Object.fromEntries(
    KERNELS.map((name) => [name, median(runs.flatMap((times) => times.get(name)?.seconds ?? []))]),
  );
}

/** Everybody must have computed the same. */
function checkResults(native: Times, times: Times, who: string): void {
  for (const name of KERNELS) {
    const [expected, found] = [native.get(name)?.result, times.get(name)?.result];
    if (expected === undefined || found !== expected) throw new Error(`${name}: ${found} ${who}, ${expected} natively`);
  }
}

export async function benchCompute(
  level: Level,
  rounds: number,
  progress: (text: string) => void,
): Promise<ComputeBench> {
  setEngineFlags();
  const guest = await debianGuest({ onProgress: progress });
  const directory = await mkdtemp(join(tmpdir(), 'seamulator-bench-'));
  try {
    const program = await build(directory, level);
    const initrd = join(directory, 'initrd');
    const archive = initramfs(await readFile(program));
    await writeFile(initrd, archive);
    const kernel = await readFile(guest.kernel);
    const append = `${APPEND} quiet -- ${REPETITIONS}`;
    const [native, ours, qemu]: Times[][] = [[], [], []];
    let qemuThere = true;
    for (let round = 0; round < rounds; round++) {
      progress(`${level}, round ${round + 1} of ${rounds}: native`);
      native!.push(await timed(program, [`${REPETITIONS}`]));
      progress(`${level}, round ${round + 1} of ${rounds}: seamulator`);
      ours!.push(await inTd(kernel, archive, append));
      checkResults(native![0]!, ours!.at(-1)!, 'in a TD');
      if (!qemuThere) continue;
      progress(`${level}, round ${round + 1} of ${rounds}: ${QEMU} -accel tcg`);
      try {
        qemu!.push(await timed(QEMU, qemuArguments({ kernel: guest.kernel, initrd, append })));
        checkResults(native![0]!, qemu!.at(-1)!, 'under QEMU');
      } catch (error) {
        if (!isMissing(error)) throw error;
        qemuThere = false;
        progress(NO_QEMU);
      }
    }
    return {
      level,
      native: secondsOf(native!),
      ours: secondsOf(ours!),
      ...(qemu!.length > 0 && { qemu: secondsOf(qemu!) }),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** SPECIFICATION.md, "Speed": QEMU's time / ours, geometric mean and each. */
const LEAST_MEAN_SPEED = 1.3;
const LEAST_SPEED = 0.6;

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

export function computeRows({ level, native, ours, qemu }: ComputeBench): Row[] {
  const bench = level === 'v1' ? 'compute' : `compute ${level}`;
  const rows: Row[] = KERNELS.map((name) => ({
    bench,
    name: `${name} (native ${native[name]!.toFixed(3)} s)`,
    value: ours[name]!,
    unit: 's',
    ...(qemu !== undefined && {
      qemu: qemu[name]!,
      promised: { of: 'ratio', atMost: Number((1 / LEAST_SPEED).toFixed(2)) },
    }),
  }));
  if (qemu === undefined) return rows;
  const speeds = KERNELS.map((name) => qemu[name]! / ours[name]!);
  return [
    ...rows,
    {
      bench,
      name: 'speed, QEMU = 1, geometric mean',
      value: geometricMean(speeds),
      unit: 'times',
      promised: { of: 'value', atLeast: LEAST_MEAN_SPEED },
    },
  ];
}
