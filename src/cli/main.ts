/** The command line: one file of `commands` a command. */

import { Command, CommanderError } from 'commander';
import { FileError, useNativeDigests } from '../node/index.ts';
import { CommandError, ExitCode } from './exit-codes.ts';

/** Loaded when they are wanted: the modules of one are no use to another, and a start has no time for them. */
const COMMANDS: Readonly<Record<string, (exit: (code: number) => void) => Promise<Command>>> = {
  boot: async (exit) => (await import('./commands/boot.ts')).bootCommand(exit),
  exec: async (exit) => (await import('./commands/exec.ts')).execCommand(exit),
  resume: async (exit) => (await import('./commands/resume.ts')).resumeCommand(exit),
  trace: async (exit) => (await import('./commands/trace.ts')).traceCommand(exit),
  check: async (exit) => (await import('./commands/check.ts')).checkCommand(exit),
  decode: async (exit) => (await import('./commands/decode.ts')).decodeCommand(exit),
  measure: async (exit) => (await import('./commands/measure.ts')).measureCommand(exit),
  quote: async (exit) => (await import('./commands/quote.ts')).quoteCommand(exit),
};

/** Runs one command and returns its exit code; `argv` as in process.argv. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  useNativeDigests();
  // a reader that went away (head, less) is no error of ours
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(ExitCode.Ended);
  });
  let exitCode: number = ExitCode.Ended;
  const exit = (code: number): void => {
    exitCode = code;
  };
  const program = new Command('seamulator')
    .description('An Intel TDX platform in software: boots unmodified TD guests and shows every crossing.')
    .showHelpAfterError('(--help shows the options)');
  // by its name one is found alone; help and complaints name them all
  const name = argv[2] ?? '';
  const wanted = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  for (const load of wanted === undefined ? Object.values(COMMANDS) : [wanted]) program.addCommand(await load(exit));
  for (const command of withSubcommands(program)) command.exitOverride().showSuggestionAfterError();
  try {
    await program.parseAsync(argv as string[]);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.Ended : ExitCode.Usage;
    if (!(error instanceof CommandError || error instanceof FileError)) throw error;
    process.stderr.write(`seamulator: ${error.message}\n`);
    return error instanceof CommandError ? error.exitCode : ExitCode.BadInput;
  }
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}
