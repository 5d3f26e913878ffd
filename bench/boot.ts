/** Wall time from process start to the guest's marker and to power-off: ours against QEMU's TCG on the same kernel, initramfs and machine. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busyboxInitramfs, debianGuest } from '../src/node/index.ts';
import { isMissing, NO_QEMU, ourArguments, QEMU, qemuArguments, seamulatorCommand } from './machines.ts';
import { type BootTime, timeBoot } from './processes.ts';
import { median, type Row } from './table.ts';
import { extractVmlinux } from './vmlinux.ts';

const MARKER = 'SEAM-BOOT-OK';

/** What is measured, in this order in every round. */
const CASES = ['bzimage', 'interpreter', 'spr', 'vmlinux', 'qemuBzimage', 'qemuVmlinux'] as const;
type Case = (typeof CASES)[number];

export interface BootBench {
  /** of an empty cache: nothing has been compiled before */
  readonly first: BootTime;
  readonly runs: Readonly<Partial<Record<Case, BootTime[]>>>;
}

/** Alternating runs, `rounds` of each; without QEMU on the machine only ours. */
/** The first one compiles; what it leaves is optimised by V8 in the next two or three, and kept. */
const SETTLING_RUNS = 4;

export async function benchBoot(rounds: number, progress: (text: string) => void): Promise<BootBench> {
  const guest = await debianGuest({ onProgress: progress });
  const directory = await mkdtemp(join(tmpdir(), 'seamulator-bench-'));
  try {
    const initrd = join(directory, 'initrd');
    writeFileSync(initrd, busyboxInitramfs(await readFile(guest.busybox), `echo; echo ${MARKER}`));
    const vmlinux = join(directory, 'vmlinux');
    const hasVmlinux = await extractVmlinux(guest.kernel, vmlinux);
    if (!hasVmlinux) progress('no vmlinux: the kernel is compressed otherwise, or there is no zstd');
    const bzimage = { kernel: guest.kernel, initrd };
    const elf = { kernel: vmlinux, initrd };
    const commands: Readonly<Record<Case, readonly [string, readonly string[]]>> = {
      bzimage: [seamulatorCommand, ourArguments(bzimage)],
      interpreter: [seamulatorCommand, [...ourArguments(bzimage), '--engine', 'interpreter']],
      spr: [seamulatorCommand, [...ourArguments(bzimage), '--cpu', 'spr']],
      vmlinux: [seamulatorCommand, ourArguments(elf)],
      qemuBzimage: [QEMU, qemuArguments(bzimage)],
      qemuVmlinux: [QEMU, qemuArguments(elf)],
    };
    const measure = (each: Case): Promise<BootTime> => timeBoot(...commands[each], MARKER, join(directory, 'cache'));
    progress(`${SETTLING_RUNS} runs of each guest before those that count`);
    const first = await measure('bzimage');
    const wanted = new Set<Case>(CASES.filter((each) => hasVmlinux || !/vmlinux/i.test(each)));
    for (const each of ['bzimage', 'spr', 'vmlinux'] as const)
      for (let run = each === 'bzimage' ? 1 : 0; run < SETTLING_RUNS; run++) if (wanted.has(each)) await measure(each);
    const runs: Partial<Record<Case, BootTime[]>> = {};
    for (let round = 0; round < rounds; round++)
      for (const each of CASES) {
        if (!wanted.has(each)) continue;
        progress(`round ${round + 1} of ${rounds}: ${each}`);
        try {
          (runs[each] ??= []).push(await measure(each));
        } catch (error) {
          if (!isMissing(error)) throw error;
          delete runs[each];
          for (const other of ['qemuBzimage', 'qemuVmlinux'] as const) wanted.delete(other);
          progress(NO_QEMU);
        }
      }
    return { first, runs };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** SPECIFICATION.md, "Speed": ours / QEMU's TCG to the marker. */
const MOST_TIMES_QEMU = { first: 2, bzimage: 1, vmlinux: 1.1, interpreter: 3 };

const NAMES: Readonly<Record<string, string>> = {
  first: 'bzImage, the first run of this guest',
  bzimage: 'bzImage',
  interpreter: 'bzImage, interpreter alone',
  spr: 'bzImage, --cpu spr',
  vmlinux: 'vmlinux',
};

export function bootRows({ first, runs }: BootBench): Row[] {
  const of = (times: readonly BootTime[], key: keyof BootTime): number => median(times.map((time) => time[key]));
  const ours = Object.entries({ first: [first], ...runs }).filter(([name]) => NAMES[name] !== undefined);
  return ours.flatMap(([name, times]): Row[] => {
    const qemu = name === 'vmlinux' ? runs.qemuVmlinux : runs.qemuBzimage;
    const atMost = MOST_TIMES_QEMU[name as keyof typeof MOST_TIMES_QEMU];
    const row = (what: string, key: keyof BootTime, unit: Row['unit']): Row => ({
      bench: 'boot',
      name: `${NAMES[name]}: ${what}`,
      value: of(times, key),
      unit,
      ...(qemu !== undefined && { qemu: of(qemu, key) }),
    });
    return [
      {
        ...row('to the marker', 'markerSeconds', 's'),
        ...(atMost !== undefined && { promised: { of: 'ratio', atMost } }),
      },
      row('to power-off', 'exitSeconds', 's'),
      row('peak memory', 'peakMib', 'MiB'),
    ];
  });
}
