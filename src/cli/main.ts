/** The command line: one file of `commands` a command. */

import { Command, CommanderError } from 'commander';
import { useNativeDigests } from '../node/index.ts';
import { bootCommand } from './commands/boot.ts';
import { checkCommand } from './commands/check.ts';
import { decodeCommand } from './commands/decode.ts';
import { execCommand } from './commands/exec.ts';
import { measureCommand } from './commands/measure.ts';
import { quoteCommand } from './commands/quote.ts';
import { resumeCommand } from './commands/resume.ts';
import { traceCommand } from './commands/trace.ts';
import { CommandError, ExitCode } from './exit-codes.ts';

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
    .addCommand(bootCommand(exit))
    .addCommand(execCommand(exit))
    .addCommand(resumeCommand(exit))
    .addCommand(traceCommand(exit))
    .addCommand(checkCommand(exit))
    .addCommand(decodeCommand(exit))
    .addCommand(measureCommand(exit))
    .addCommand(quoteCommand(exit))
    .showHelpAfterError('(--help shows the options)');
  for (const command of withSubcommands(program)) command.exitOverride().showSuggestionAfterError();
  try {
    await program.parseAsync(argv as string[]);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.Ended : ExitCode.Usage;
    if (!(error instanceof CommandError)) throw error;
    process.stderr.write(`seamulator: ${error.message}\n`);
    return error.exitCode;
  }
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}
