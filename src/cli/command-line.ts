/** Finds the command that a command line names, and runs it. */

import { Command, CommanderError } from 'commander';
import { FileError, useNativeDigests } from '../node/index.ts';
import { CommandError, ExitCode } from './exit-codes.ts';

/** Makes a command; `exit` is told its exit code. */
export type CommandLoader = (exit: (code: number) => void) => Command | Promise<Command>;

/** Runs one command of a table by name and returns its exit code; `argv` as in process.argv. */
export async function runCommandOf(
  commands: Readonly<Record<string, CommandLoader>>,
  argv: readonly string[],
): Promise<number> {
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
  const wanted = Object.hasOwn(commands, name) ? commands[name] : undefined;
  for (const load of wanted === undefined ? Object.values(commands) : [wanted]) program.addCommand(await load(exit));
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
