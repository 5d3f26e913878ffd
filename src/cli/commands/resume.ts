/** `seamulator resume`: goes on with a run that was kept in a snapshot. */

import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import type { QuoteVersion } from '../../attestation/index.ts';
import { SnapshotError } from '../../bits/index.ts';
import type { NamedFile } from '../../loader/index.ts';
import type { SnapshotInput } from '../../machine/index.ts';
import {
  CodeStore,
  consoleMark,
  hasTerminal,
  kernelKey,
  type OpenSnapshot,
  openSnapshot,
  sha256Of,
} from '../../node/index.ts';
import { NO_PLACES, placesIn } from '../code-places.ts';
import { compilingThread } from '../compiling-thread.ts';
import { type DebuggerOptions, gdbOption, gdbViewOption, pausedOption } from '../debugger.ts';
import { CommandError, ExitCode } from '../exit-codes.ts';
import { readInputs } from '../inputs.ts';
import { count } from '../option-values.ts';
import { Output } from '../output.ts';
import { cpuProfile, hostProfile, moduleVersion } from '../platform-options.ts';
import { replayLine } from '../replay.ts';
import { runTd, type Show } from '../td-run.ts';
import { type TraceOptions, traceFilterOption, traceOption } from '../trace-options.ts';
import { resumeExec } from './exec.ts';

interface ResumeOptions extends TraceOptions, DebuggerOptions {
  readonly exec?: string;
  readonly maxInstructions?: number;
  readonly engine: 'compiler' | 'interpreter';
  readonly json?: string;
  readonly quiet?: boolean;
  readonly record?: string;
  readonly replay?: string;
}

const examples = `
Examples:
  seamulator boot --snapshot-at marker --snapshot shell.snap    once: Debian to its shell, kept
  seamulator resume shell.snap                                  the shell on your terminal, at once
  seamulator resume shell.snap --exec 'dmesg | grep -i tdx'     types a command, prints its output, has its status
  seamulator resume shell.snap --gdb 1234 --paused              a debugger, at that very instruction

Exit codes: as of boot or exec; 3 also where the snapshot cannot be used, with the reason.`;

export function resumeCommand(exit: (code: number) => void): Command {
  return new Command('resume')
    .description('go on with a run that was kept with --snapshot')
    .argument('<snapshot>', 'the file')
    .option(
      '--exec <command>',
      'type a command to the shell that waits, print its output, power off, exit with its status',
    )
    .option('--max-instructions <count>', 'stop after so many more instructions, like 5G', count)
    .addOption(
      new Option('--engine <engine>', 'how the guest is executed; the same bits either way')
        .choices(['compiler', 'interpreter'])
        .default('compiler'),
    )
    .option('--json <file>', 'write the report of the run as JSON')
    .addOption(traceOption())
    .addOption(traceFilterOption())
    .addOption(gdbOption())
    .addOption(gdbViewOption())
    .addOption(pausedOption())
    .option('--record <file>', 'write what is typed, and when, for --replay')
    .option('--replay <file>', 'type what a recorded run was typed, at the same instructions')
    .option('--quiet', 'print what the guest prints, and nothing of our own but complaints')
    .addHelpText('after', examples)
    .action(async (path: string, options: ResumeOptions) => exit(await resume(path, options)));
}

async function resume(path: string, options: ResumeOptions): Promise<number> {
  const output = new Output(options);
  const refuse = (error: unknown): never => {
    if (error instanceof SnapshotError)
      throw new CommandError(ExitCode.BadInput, `The snapshot ${path} cannot be used: ${error.message}.`);
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new CommandError(ExitCode.BadInput, `Cannot read the snapshot ${path}: ${message}.`);
  };
  const snapshot: OpenSnapshot = await openSnapshot(path).catch(refuse);
  const { about } = snapshot.head;
  const { memoryBytes, seed, cpu, tdxModule, vmm } = about.platform;
  if (options.exec !== undefined && !about.atShell)
    throw new CommandError(ExitCode.Usage, '--exec types to a shell, and no shell waits in this snapshot.');
  const inputs = await checkInputs(path, about.inputs);
  if (about.kind === 'exec') {
    if (!inputs.has('object'))
      throw new CommandError(
        ExitCode.BadInput,
        `The object of the snapshot ${path} is gone: ${about.inputs[0]?.name}.`,
      );
    if (options.record !== undefined || options.replay !== undefined)
      throw new CommandError(ExitCode.Usage, 'Nothing is typed to a function: leave out --record and --replay.');
    return resumeExec(
      { about, restore: (platform, seen) => snapshot.restore(platform, {}, seen).catch(refuse) },
      options,
    );
  }
  const kernel = inputs.get('kernel');
  const thread = options.engine === 'compiler' ? compilingThread(output) : undefined;
  const store = kernel === undefined ? undefined : new CodeStore(`${kernelKey(kernel.bytes)} ${cpu}`);
  const show: Show = options.exec !== undefined ? 'command' : hasTerminal() ? 'interactive' : 'everything';
  output.note(`Resuming ${replayLine(about.command)} after ${about.instructions} instructions.`);
  if (show === 'interactive') output.note('Ctrl-A X leaves, Ctrl-A ? helps.');
  const replay = options.replay === undefined ? [] : await readInputs(options.replay);
  return runTd({
    build: async (platform, consoleOutput) => {
      await snapshot.restore(platform, { consoleOutput }).catch(refuse);
      const td = platform.tds[0]!;
      if (options.exec !== undefined) td.type(new TextEncoder().encode(`${typed(options.exec)}\n`));
      return td;
    },
    atShell: about.atShell && options.exec === undefined,
    about,
    memoryBytes,
    show,
    places: kernel === undefined ? NO_PLACES : placesIn(kernel.bytes, kernel.name),
    compilation: {
      ...(thread !== undefined && { compiler: thread }),
      ...(store?.stored !== undefined && { ready: store.stored }),
    },
    output,
    cpu: cpuProfile(cpu),
    moduleVersion: moduleVersion(tdxModule),
    hostProfile: hostProfile(vmm),
    quoteVersion: about.platform.quoteVersion as QuoteVersion,
    seed,
    maxInstructions: options.maxInstructions,
    engine: options.engine,
    json: options.json,
    trace: options,
    gdb: options.gdb,
    gdbView: options.gdbView,
    paused: options.paused,
    record: options.record,
    replay,
  }).finally(() => thread?.close());
}

/** What the shell is told: no echo, the marks of a command around it, and the end. Marks are written as printf(1) wants them, so that the echo is none. */
function typed(command: string): string {
  const mark = (text: string): string => `printf '${text.replace('\x1b', '\\033').replace('\x07', '\\007')}'`;
  const quoted = `'${command.replaceAll("'", "'\\''")}'`;
  return [
    'dmesg -n 1',
    'stty -opost -echo',
    mark(consoleMark('begin')),
    `sh -c ${quoted} </dev/null`,
    `${mark(consoleMark('end', '%d'))} $?`,
    'poweroff -f',
  ].join('; ');
}

/** Inputs that are still there must be what they were. Those that are, by their roles. */
async function checkInputs(path: string, inputs: readonly SnapshotInput[]): Promise<ReadonlyMap<string, NamedFile>> {
  const found = new Map<string, NamedFile>();
  for (const { role, name, sha256 } of inputs) {
    const bytes = await readFile(name).catch(() => undefined);
    if (bytes === undefined) continue;
    const now = sha256Of(bytes);
    if (now !== sha256)
      throw new CommandError(
        ExitCode.BadInput,
        `The snapshot ${path} was made with another ${role}: ${name} had SHA-256 ${sha256} and has ${now}.`,
      );
    found.set(role, { name, bytes });
  }
  return found;
}
