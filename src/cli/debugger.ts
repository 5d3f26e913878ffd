/** A gdb door for a run: `--gdb [HOST:]PORT`, `--paused`. */

import { InvalidArgumentError, Option } from 'commander';
import {
  BenchTarget,
  type CrossingRecorder,
  type DebugTarget,
  GdbStub,
  monitorCommands,
  RunControl,
  TdTarget,
} from '../debug/index.ts';
import type { Td, TdxPlatform } from '../machine/index.ts';
import { type GdbAddress, listenForGdb } from '../node/index.ts';
import { CommandError, ExitCode } from './exit-codes.ts';
import type { Output } from './output.ts';

/** The door is for this machine unless somebody asks otherwise: whoever enters can do everything to the guest. */
const defaultHost = '127.0.0.1';

/** "1234", "localhost:1234", "[::1]:1234". */
export function gdbAddress(text: string): GdbAddress {
  const [, bracketed, plain, digits = ''] = /^(?:\[([^\]]+)\]:|([^:[\]]+):)?(\d+)$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === '' || port > 65_535) throw new InvalidArgumentError('Give a port, like 1234 or localhost:1234.');
  return { host: bracketed ?? plain ?? defaultHost, port };
}

/** What gdb is shown of a TD. */
const targets = {
  bench: (platform, td) => new BenchTarget(platform, td.host.tdrHpa),
  td: (_, td) => new TdTarget(td.host),
} as const satisfies Record<string, (platform: TdxPlatform, td: Td) => DebugTarget>;

export interface DebuggerOptions {
  readonly gdb?: GdbAddress | undefined;
  readonly gdbView?: keyof typeof targets | undefined;
  readonly paused?: boolean | undefined;
}

export const gdbOption = (): Option =>
  new Option('--gdb <address>', 'let gdb debug the TD: PORT or HOST:PORT, 0 for any port').argParser(gdbAddress);
export const gdbViewOption = (): Option =>
  new Option(
    '--gdb-view <view>',
    'what gdb sees: "bench": everything, as no host could; "td": what the TDX module lets the host of a debug TD see, and of a production TD refuses',
  )
    .choices(Object.keys(targets))
    .default('bench');
export const pausedOption = (): Option =>
  new Option('--paused', 'with --gdb: wait for gdb before the first instruction');

export interface AttachedDebugger {
  readonly control: RunControl;
  close(): Promise<void>;
}

/** Opens the door that the options ask for; undefined if they ask for none. `hints` are more lines for gdb's user; `keep` as in RunControlOptions. */
export async function attachDebugger(
  { gdb, gdbView = 'bench', paused = false }: DebuggerOptions,
  run: { readonly platform: TdxPlatform; readonly td: Td; readonly crossings: CrossingRecorder },
  output: Output,
  { hints = [], keep }: { readonly hints?: readonly string[]; readonly keep?: () => () => void } = {},
): Promise<AttachedDebugger | undefined> {
  if (gdb === undefined) {
    if (paused) throw new CommandError(ExitCode.Usage, '--paused waits for gdb: give --gdb as well.');
    return undefined;
  }
  const control = new RunControl(run.platform, run.td, { paused, ...(keep === undefined ? {} : { keep }) });
  const target = targets[gdbView](run.platform, run.td);
  const monitor = monitorCommands(run, target);
  const server = await listenForGdb(gdb, (send, close) => {
    const stub = new GdbStub({ target, control, monitor, send, close });
    return { receive: (bytes) => stub.receive(bytes), closed: () => control.release() };
  }).catch((error: Error) => {
    throw new CommandError(ExitCode.BadInput, `gdb cannot be let in at ${gdb.host}:${gdb.port}: ${error.message}.`);
  });
  output.always([`gdb: target remote ${server.address}`, ...hints, target.banner].join('\n'));
  return { control, close: () => server.close() };
}
