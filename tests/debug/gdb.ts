/** The real gdb against a TD in this process. */

import { runInSlices } from '../../src/cli/sliced-run.ts';
import {
  BenchTarget,
  CrossingRecorder,
  type DebugTarget,
  GdbStub,
  monitorCommands,
  RunControl,
} from '../../src/debug/index.ts';
import type { Td, TdEnd, TdxPlatform } from '../../src/machine/index.ts';
import { listenForGdb, ProgramNotFound, runProgram } from '../../src/node/index.ts';

/** Why gdb cannot be asked on this machine; undefined if it can. */
export async function whyNoGdb(): Promise<string | undefined> {
  try {
    const { stdout } = await runProgram('gdb', ['--version']);
    const { stdout: architectures } = await runProgram('gdb', ['-nx', '-batch', '-ex', 'set architecture i386:x86-64']);
    return architectures.includes('i386:x86-64') ? undefined : `this gdb knows no x86-64: ${stdout.split('\n')[0]}`;
  } catch (error) {
    if (error instanceof ProgramNotFound) return error.message;
    throw error;
  }
}

export interface DebuggedRun {
  /** what gdb printed, both streams */
  readonly text: string;
  readonly end: TdEnd;
}

/** Runs the TD, paused at its first instruction, under `gdb -batch` with these commands after `target remote`; then to its end without gdb. */
export async function withGdb(
  run: {
    readonly platform: TdxPlatform;
    readonly td: Td;
    readonly crossings?: CrossingRecorder;
    readonly keep?: () => () => void;
  },
  commands: readonly string[],
  maxInstructions = 1_000_000_000,
  target: DebugTarget = new BenchTarget(run.platform, run.td.host.tdrHpa),
): Promise<DebuggedRun> {
  const { platform, td, crossings = new CrossingRecorder() } = run;
  const control = new RunControl(platform, td, { paused: true, ...(run.keep === undefined ? {} : { keep: run.keep }) });
  const monitor = monitorCommands({ platform, td, crossings }, target);
  const server = await listenForGdb({ host: '127.0.0.1', port: 0 }, (send, close) => {
    const stub = new GdbStub({ target, control, monitor, send, close });
    return { receive: (bytes) => stub.receive(bytes), closed: () => control.release() };
  });
  // gdb gives up a reply after two seconds, which a busy machine can take
  const patience = 'set remotetimeout 120';
  const script = ['set pagination off', 'set confirm off', patience, `target remote ${server.address}`, ...commands];
  const gdb = runProgram('gdb', ['-nx', '-batch', ...script.flatMap((line) => ['-ex', line])]);
  const end = await runInSlices(td, { maxInstructions, control });
  const { stdout, stderr } = await gdb;
  await server.close();
  return { text: `${stdout}\n${stderr}`, end };
}
