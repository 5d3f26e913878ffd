/** One TD from its plan to its report. */

import { CrossingRecorder, formatRunReport, type RunReport, runReport, type SymbolLookup } from '../debug/index.ts';
import type { LoadPlan } from '../loader/index.ts';
import { type CpuProfile, DEFAULT_SEED, type ModuleVersion, TdxPlatform } from '../machine/index.ts';
import { observeAll } from '../probe/index.ts';
import { causeOfDeath, formatDeath } from './death-report.ts';
import { attachDebugger, type DebuggerOptions } from './debugger.ts';
import { ExitCode } from './exit-codes.ts';
import { type ConsoleTargets, GuestConsole } from './guest-console.ts';
import type { Output } from './output.ts';
import { replayLine } from './replay.ts';
import { writeReport } from './report-file.ts';
import { runSession, type SessionEnd } from './session.ts';
import { openTrace, type TraceOptions } from './trace-options.ts';

/** Lines of the console that a report of death quotes where the console was not shown. */
const unseenLines = 12;

/** How the console is shown: for a person who types, only what a command prints, or all of it. */
export type Show = 'interactive' | 'command' | 'everything';

export interface TdRunOptions extends DebuggerOptions {
  readonly plan: LoadPlan;
  readonly memoryBytes: number;
  readonly show: Show;
  readonly symbols: SymbolLookup;
  readonly output: Output;
  readonly cpu: CpuProfile;
  readonly moduleVersion: ModuleVersion;
  readonly maxInstructions?: number | undefined;
  readonly seed?: number | undefined;
  readonly engine?: 'compiler' | 'interpreter' | undefined;
  /** file for the report as JSON */
  readonly json?: string | undefined;
  readonly verbose?: boolean | undefined;
  readonly trace?: TraceOptions | undefined;
}

/** Builds and runs the TD, reports on stderr, and returns the exit code. */
export async function runTd(options: TdRunOptions): Promise<number> {
  const { plan, show, output, maxInstructions = Number.MAX_SAFE_INTEGER } = options;
  for (const warning of plan.warnings) output.always(`Warning: ${warning}.`);
  const crossings = new CrossingRecorder();
  const guestConsole = new GuestConsole(consoleTargets(options));
  const trace = openTrace(options.trace ?? {}, options.symbols, replayLine(process.argv.slice(2)));
  const platform = new TdxPlatform({
    memoryBytes: options.memoryBytes,
    observer: trace === undefined ? crossings : observeAll(crossings, trace.observer),
    cpu: options.cpu,
    moduleVersion: options.moduleVersion,
    seed: options.seed ?? DEFAULT_SEED,
    engine: options.engine ?? 'compiler',
  });
  const td = platform.buildTd(plan, { consoleOutput: guestConsole.transmit });
  trace?.attach(platform, td);
  const reportOf = (instructionsRetired: number, wallMilliseconds: number): RunReport =>
    runReport({
      crossings,
      mrtd: Buffer.from(td.readMrtd()).toString('hex'), // hashed now, not before the guest runs
      instructionsRetired,
      virtualNanoseconds: platform.clock.nowTicks,
      wallMilliseconds,
      unimplemented: platform.unimplementedInstructions,
    });

  const debug = await attachDebugger(options, { platform, td, crossings }, output);
  const session = await runSession({
    td,
    debugger: debug?.control,
    clock: platform.clock,
    console: guestConsole,
    output,
    maxInstructions,
    interactive: show === 'interactive',
    crossingsSoFar: (instructions, milliseconds) => formatRunReport(reportOf(instructions, milliseconds)),
  });

  trace?.end();
  await debug?.close();
  const report = reportOf(session.instructions, session.wallMilliseconds);
  const cause = session.leftBy === undefined ? causeOfDeath(session.end, guestConsole) : undefined;
  const exitCode = exitCodeOf(session, cause, guestConsole);
  output.note(`\n${formatRunReport(report)}`);
  if (cause !== undefined) {
    // what nobody has seen yet
    if (show === 'command' && !options.verbose) output.always(`\n${guestConsole.lastLines(unseenLines).join('\n')}`);
    const { symbols } = options;
    const replay = replayLine(process.argv.slice(2));
    output.always(`\n${formatDeath({ cause, crossings, symbols, guestPlace: guestConsole.oopsPlace, replay })}`);
  } else if (session.end.cause === 'instruction-limit') {
    output.always(`The limit of ${maxInstructions} instructions was reached.`);
  }
  if (options.json !== undefined) {
    await writeReport(options.json, {
      ...report,
      end: { cause: session.end.cause, sentence: cause ?? null, exitCode },
    });
  }
  return exitCode;
}

function consoleTargets({ show, verbose = false }: TdRunOptions): ConsoleTargets {
  const stdout = (bytes: Uint8Array): void => void process.stdout.write(bytes);
  const stderr = (bytes: Uint8Array): void => void process.stderr.write(bytes);
  if (show !== 'command') return { onBoot: stdout, onCommand: stdout };
  return verbose ? { onBoot: stderr, onCommand: stdout } : { onCommand: stdout };
}

function exitCodeOf({ end, leftBy }: SessionEnd, cause: string | undefined, guestConsole: GuestConsole): number {
  if (leftBy !== undefined) return leftBy === 'signal' ? ExitCode.Interrupted : ExitCode.Ended;
  if (cause !== undefined) return ExitCode.Died;
  if (end.cause === 'instruction-limit') return ExitCode.Limit;
  return guestConsole.commandStatus ?? ExitCode.Ended;
}
