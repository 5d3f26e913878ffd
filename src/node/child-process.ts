/** Other programs, awaited. */

import { spawn } from 'node:child_process';

export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly directory?: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** Called with each line the program writes to its file descriptor 3. */
  readonly onStatusLine?: (line: string) => void;
}

export class ProgramNotFound extends Error {
  override readonly name = 'ProgramNotFound';
  readonly program: string;
  constructor(program: string) {
    super(`The program ${program} is not installed on this machine.`);
    this.program = program;
  }
}

/** Runs a program to its end without a shell. A signal counts as status 128. */
export function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      cwd: options.directory,
      env: { ...process.env, LC_ALL: 'C', ...options.environment },
    });
    const chunks: [Buffer[], Buffer[]] = [[], []];
    child.stdout!.on('data', (chunk: Buffer) => chunks[0].push(chunk));
    child.stderr!.on('data', (chunk: Buffer) => chunks[1].push(chunk));
    let rest = '';
    (child.stdio[3] as NodeJS.ReadableStream).on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop()!;
      for (const line of lines) options.onStatusLine?.(line);
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? new ProgramNotFound(program) : error);
    });
    child.on('close', (status) => {
      const [stdout, stderr] = chunks.map((parts) => Buffer.concat(parts).toString('utf8'));
      resolve({ status: status ?? 128, stdout: stdout!, stderr: stderr! });
    });
  });
}
