/** Highest resident memory of one boot to power-off, by engine; without anything compiled before, which takes most. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busyboxInitramfs, debianGuest } from '../src/node/index.ts';
import { isMissing, MEMORY_MIB, NO_QEMU, ourArguments, QEMU, qemuArguments, seamulatorCommand } from './machines.ts';
import { timeBoot } from './processes.ts';
import type { Row } from './table.ts';

const MARKER = 'SEAM-BOOT-OK';
/** SPECIFICATION.md, "Speed and memory" */
const MOST_PEAK_MIB = MEMORY_MIB + 350;

/** Peak resident set, MiB. */
export interface MemoryBench {
  readonly first: number;
  readonly second: number;
  readonly interpreter: number;
  readonly qemu?: number;
}

export async function benchMemory(progress: (text: string) => void): Promise<MemoryBench> {
  const guest = await debianGuest({ onProgress: progress });
  const directory = await mkdtemp(join(tmpdir(), 'seamulator-bench-'));
  try {
    const initrd = join(directory, 'initrd');
    writeFileSync(initrd, busyboxInitramfs(await readFile(guest.busybox), `echo; echo ${MARKER}`));
    const bzimage = { kernel: guest.kernel, initrd };
    const peak = async (command: string, args: readonly string[]): Promise<number> =>
      (await timeBoot(command, args, MARKER, join(directory, 'cache'))).peakMib;
    const ours = async (what: string, ...more: string[]): Promise<number> => {
      progress(what);
      return peak(seamulatorCommand, [...ourArguments(bzimage), ...more]);
    };
    const first = await ours('the first boot');
    const second = await ours('a boot that finds what was compiled');
    const interpreter = await ours('the interpreter alone', '--engine', 'interpreter');
    try {
      progress(QEMU);
      return { first, second, interpreter, qemu: await peak(QEMU, qemuArguments(bzimage)) };
    } catch (error) {
      if (!isMissing(error)) throw error;
      progress(NO_QEMU);
      return { first, second, interpreter };
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export function memoryRows({ qemu, ...ours }: MemoryBench): Row[] {
  const names = { first: 'first boot', second: 'later boot', interpreter: 'interpreter alone' } as const;
  return (Object.keys(names) as (keyof typeof names)[]).map((key) => ({
    bench: 'memory',
    name: `peak, guest of ${MEMORY_MIB} MiB: ${names[key]}`,
    value: ours[key],
    unit: 'MiB',
    ...(qemu !== undefined && { qemu }),
    promised: { of: 'value', atMost: MOST_PEAK_MIB },
  }));
}
