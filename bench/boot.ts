/** Wall time from process start to the guest's marker and to power-off: ours against QEMU's TCG on the same kernel, initramfs and machine. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busyboxInitramfs, debianGuest } from '../src/node/index.ts';

const MARKER = 'SEAM-BOOT-OK';
const MEMORY = '512M';
const APPEND = 'console=ttyS0 panic=-1 cryptomgr.notests';

export interface BootTime {
  markerSeconds: number;
  exitSeconds: number;
  peakMib: number;
}

export interface BootBench {
  /** of an empty cache: nothing has been compiled before */
  first: BootTime;
  runs: { compiler: BootTime[]; interpreter: BootTime[]; qemu: BootTime[] };
  median: { compiler: BootTime; interpreter: BootTime; qemu?: BootTime };
  /** ours / QEMU, to the marker */
  ratio?: { first: number; compiler: number; interpreter: number };
}

/** Highest resident set of a process so far, MiB; 0 once it is gone. */
function residentMib(pid: number): number {
  try {
    const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return line === null ? 0 : Number(line[1]) / 1024;
  } catch {
    return 0;
  }
}

/** @param cache directory in the place of the user's cache */
function time(command: string, args: readonly string[], cache: string): Promise<BootTime> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const env = { ...process.env, XDG_CACHE_HOME: cache };
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    let [text, errors] = ['', ''];
    let markerSeconds = Number.NaN;
    let peakMib = 0;
    const sampler = setInterval(() => {
      peakMib = Math.max(peakMib, residentMib(child.pid!));
    }, 100);
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (Number.isNaN(markerSeconds) && text.includes(`\n${MARKER}`)) {
        markerSeconds = (performance.now() - start) / 1000;
        peakMib = Math.max(peakMib, residentMib(child.pid!));
      }
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString('latin1');
    });
    child.on('error', reject);
    child.on('close', () => {
      clearInterval(sampler);
      if (Number.isNaN(markerSeconds))
        reject(new Error(`${command} never printed ${MARKER}:\n${(text + errors).slice(-2000)}`));
      else resolve({ markerSeconds, exitSeconds: (performance.now() - start) / 1000, peakMib });
    });
  });
}

function median(times: readonly BootTime[]): BootTime {
  const middle = (key: keyof BootTime): number =>
    times.map((each) => each[key]).sort((a, b) => a - b)[times.length >> 1]!;
  return { markerSeconds: middle('markerSeconds'), exitSeconds: middle('exitSeconds'), peakMib: middle('peakMib') };
}

/** Alternating runs, `rounds` of each; without QEMU on the machine only ours. */
export async function benchBoot(rounds: number, progress: (text: string) => void): Promise<BootBench> {
  const guest = await debianGuest({ onProgress: progress });
  const directory = await mkdtemp(join(tmpdir(), 'seamulator-bench-'));
  try {
    const initrd = join(directory, 'initrd');
    writeFileSync(initrd, busyboxInitramfs(await readFile(guest.busybox), `echo; echo ${MARKER}`));
    const ours = [
      join(import.meta.dirname, '../../bin/seamulator'),
      'boot',
      '--kernel',
      guest.kernel,
      '--initrd',
      initrd,
      '--memory',
      MEMORY,
      '--append',
      APPEND,
    ];
    const qemu = [
      '-accel',
      'tcg,thread=single',
      '-smp',
      '1',
      '-m',
      '512',
      '-nodefaults',
      '-display',
      'none',
      '-no-reboot',
      '-serial',
      'stdio',
      '-machine',
      'pc',
      '-cpu',
      'max',
      '-kernel',
      guest.kernel,
      '-initrd',
      initrd,
      '-append',
      APPEND,
    ];
    const runs: BootBench['runs'] = { compiler: [], interpreter: [], qemu: [] };
    const measure = (command: string, args: readonly string[]): Promise<BootTime> =>
      time(command, args, join(directory, 'cache'));
    progress('the first run, which compiles everything; a second one, which finds what was compiled');
    const first = await measure(process.execPath, ours);
    await measure(process.execPath, ours);
    let qemuThere = true;
    for (let round = 0; round < rounds; round++) {
      for (const engine of ['compiler', 'interpreter'] as const) {
        progress(`round ${round + 1} of ${rounds}: seamulator, ${engine}`);
        runs[engine].push(await measure(process.execPath, [...ours, '--engine', engine]));
      }
      if (!qemuThere) continue;
      progress(`round ${round + 1} of ${rounds}: qemu-system-x86_64 -accel tcg`);
      try {
        runs.qemu.push(await measure('qemu-system-x86_64', qemu));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        qemuThere = false;
        progress('qemu-system-x86_64 is not installed (package qemu-system-x86): ours alone');
      }
    }
    const result: BootBench = {
      first,
      runs,
      median: { compiler: median(runs.compiler), interpreter: median(runs.interpreter) },
    };
    if (runs.qemu.length > 0) {
      result.median.qemu = median(runs.qemu);
      const { compiler, interpreter, qemu } = result.median;
      result.ratio = {
        first: first.markerSeconds / qemu.markerSeconds,
        compiler: compiler.markerSeconds / qemu.markerSeconds,
        interpreter: interpreter.markerSeconds / qemu.markerSeconds,
      };
    }
    return result;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** SPECIFICATION.md, "Speed": ours / QEMU's TCG to the marker, and memory beyond the guest's 512 MiB. */
const MOST_TIMES_QEMU = { first: 4, compiler: 2, interpreter: 4 };
const MOST_PEAK_MIB = 512 + 350;

/** Prints the table; returns a sentence for each promise that is not met. */
export function reportBoot(bench: BootBench, rounds: number): string[] {
  const { first, median, ratio } = bench;
  const row = (name: string, time: BootTime): string =>
    `${name.padEnd(28)}${time.markerSeconds.toFixed(2).padStart(12)}${time.exitSeconds.toFixed(2).padStart(14)}${time.peakMib.toFixed(0).padStart(12)}`;
  console.log(`medians of ${rounds}                to marker s   to power-off s    peak MiB`);
  console.log(row('seamulator, first run', first));
  console.log(row('seamulator, compiler', median.compiler));
  console.log(row('seamulator, interpreter', median.interpreter));
  if (median.qemu !== undefined) console.log(row('qemu-system-x86_64 tcg', median.qemu));
  const complaints: string[] = [];
  if (ratio !== undefined)
    for (const key of ['first', 'compiler', 'interpreter'] as const) {
      const [found, most] = [ratio[key], MOST_TIMES_QEMU[key]];
      console.log(`times QEMU, ${key}: ${found.toFixed(2)} (promised: at most ${most})`);
      if (found > most) complaints.push(`slower than promised: ${key} ${found.toFixed(2)} times QEMU, not ${most}`);
    }
  const peakMib = Math.max(first.peakMib, median.compiler.peakMib, median.interpreter.peakMib);
  if (peakMib > MOST_PEAK_MIB)
    complaints.push(`more memory than promised: ${peakMib.toFixed(0)} MiB, at most ${MOST_PEAK_MIB} is promised`);
  return complaints;
}
