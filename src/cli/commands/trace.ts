/** `seamulator trace`: what a trace says, where two of them part, a picture. */

import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import {
  diffTraces,
  drawTrace,
  formatDifference,
  formatSummary,
  readTrace,
  summarizeTrace,
  type TraceEvent,
  TraceFormatError,
} from '../../debug/index.ts';
import { FileError, readUserFile } from '../../node/index.ts';
import { CommandError, ExitCode } from '../exit-codes.ts';

const examples = `
Examples:
  seamulator boot --exec true --trace a.ndjson     write one
  seamulator trace summary a.ndjson
  seamulator trace diff a.ndjson b.ndjson          the first crossing that differs, with both contexts
  seamulator trace picture a.ndjson > boot.svg

Both forms can be read, .json and .ndjson. For the picture in motion open the .json in https://ui.perfetto.dev or in
chrome://tracing.

Exit codes: 0 done (diff: the traces are the same), 1 wrong usage, 3 a file cannot be read, 5 the traces differ.`;

async function load(path: string): Promise<TraceEvent[]> {
  try {
    return readTrace(new TextDecoder().decode(await readUserFile(path, 'trace')), path);
  } catch (error) {
    if (error instanceof FileError) throw new CommandError(ExitCode.BadInput, error.message);
    if (error instanceof TraceFormatError) throw new CommandError(ExitCode.BadInput, `${error.message}.`);
    throw error;
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function traceCommand(exit: (code: number) => void): Command {
  const command = new Command('trace')
    .description('read traces: a summary, the difference of two, a picture')
    .addHelpText('after', examples);
  command
    .command('summary')
    .description('what crossed, how often, how long the answers took, what failed')
    .argument('<file>', 'a trace, .json or .ndjson')
    .option('--json', 'for programs')
    .action(async (file: string, { json = false }: { json?: boolean }) => {
      const summary = summarizeTrace(await load(file));
      print(json ? JSON.stringify(summary, null, 2) : formatSummary(summary));
    });
  command
    .command('diff')
    .description('the first crossing that is not the same in both; nothing where there is none')
    .argument('<left>', 'a trace')
    .argument('<right>', 'another')
    .option('--json', 'for programs')
    .action(async (left: string, right: string, { json = false }: { json?: boolean }) => {
      const difference = diffTraces(await load(left), await load(right));
      if (json) print(JSON.stringify(difference ?? null, null, 2));
      else if (difference !== undefined) print(formatDifference(difference, left, right));
      exit(difference === undefined ? ExitCode.Ended : ExitCode.Differs);
    });
  command
    .command('picture')
    .description('the trace as an SVG')
    .argument('<file>', 'a trace')
    .option('--title <text>', 'what is written above it', 'Crossings of a Trust Domain')
    .option('--output <file>', 'where it goes; default: standard output')
    .action(async (file: string, { title, output }: { title: string; output?: string }) => {
      const picture = drawTrace(await load(file), title);
      if (output === undefined) process.stdout.write(picture);
      else
        await writeFile(output, picture).catch((error: Error) => {
          throw new CommandError(ExitCode.BadInput, `Cannot write the picture ${output}: ${error.message}.`);
        });
    });
  return command;
}
