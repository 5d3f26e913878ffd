/** The command line: one file of `commands` a command. */

import { type CommandLoader, runCommandOf } from './command-line.ts';

/** Loaded when they are wanted: the modules of one are no use to another. Each has a script of its own too (tools/bundle.ts), in which it is all there is. */
const COMMANDS: Readonly<Record<string, CommandLoader>> = {
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
export function runCommandLine(argv: readonly string[]): Promise<number> {
  return runCommandOf(COMMANDS, argv);
}
