/** Programs that boot a guest, timed from outside. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface BootTime {
  readonly markerSeconds: number;
  readonly exitSeconds: number;
  readonly peakMib: number;
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

/**
 * From process start to a line that begins with the marker, and to the end. Throws what `spawn` throws.
 * @param cache directory in the place of the user's cache
 */
export function timeBoot(command: string, args: readonly string[], marker: string, cache: string): Promise<BootTime> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const seconds = (): number => (performance.now() - start) / 1000;
    const env = { ...process.env, XDG_CACHE_HOME: cache };
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    let [text, errors] = ['', ''];
    let markerSeconds = Number.NaN;
    let peakMib = 0;
    const look = (): void => {
      peakMib = Math.max(peakMib, residentMib(child.pid!));
    };
    const sampler = setInterval(look, 100);
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (Number.isNaN(markerSeconds) && text.includes(`\n${marker}`)) {
        markerSeconds = seconds();
        look();
      }
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString('latin1');
    });
    child.on('error', (error) => {
      clearInterval(sampler);
      reject(error);
    });
    child.on('close', () => {
      clearInterval(sampler);
      if (Number.isNaN(markerSeconds))
        reject(new Error(`${command} never printed ${marker}:\n${(text + errors).slice(-2000)}`));
      else resolve({ markerSeconds, exitSeconds: seconds(), peakMib });
    });
  });
}
