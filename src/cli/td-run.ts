/** One TD from its plan to its report. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { QuoteVersion } from '../attestation/index.ts';
import type { EngineOptions, GeneratedCode } from '../cpu/index.ts';

import { formatRunReport, GuestProfile, type PostMortem, type RunReport, runReport } from '../debug/index.ts';
import {
  type CpuProfile,
  DEFAULT_SEED,
  type HostProfile,
  type ModuleVersion,
  type SnapshotAbout,
  type Td,
  TdxPlatform,
} from '../machine/index.ts';
import { cacheDirectory } from '../node/index.ts';
import { observeAll } from '../probe/index.ts';
import { type CheckOptions, hasErrors, plainFindings } from './check-options.ts';
import type { CodePlaces } from './code-places.ts';
import { type AttachedDebugger, attachDebugger, type DebuggerOptions } from './debugger.ts';
import { ExitCode } from './exit-codes.ts';
import { type ConsoleTargets, GuestConsole } from './guest-console.ts';
import { type RecordedInput, writeInputs } from './inputs.ts';
import { deathText, ObservedRun } from './observed-run.ts';
import type { Output } from './output.ts';
import { writeReport, writeText } from './report-file.ts';
import { formatRunStats, type RunStats } from './run-stats.ts';
import { runSession, type SessionEnd } from './session.ts';
import { type SnapshotOptions, wantedSnapshot } from './snapshot-options.ts';
import { Top } from './top.ts';
import type { TraceOptions } from './trace-options.ts';

/** Lines of the console that a report of death quotes where the console was not shown. */
const unseenLines = 12;

/** What a snapshot says of the run, but for the moment. */
export type RunAbout = Omit<SnapshotAbout, 'instructions' | 'atShell'>;

/** How the console is shown: for a person who types, only what a command prints, or all of it. */
export type Show = 'interactive' | 'command' | 'everything';

export interface TdRunOptions extends DebuggerOptions, SnapshotOptions {
  /** makes the TD of the run on its platform */
  readonly build: (platform: TdxPlatform, consoleOutput: (byte: number) => void) => Td | Promise<Td>;
  /** a shell waits already */
  readonly atShell?: boolean;
  /** how the run was made, for its snapshots */
  readonly about: RunAbout;
  readonly memoryBytes: number;
  readonly show: Show;
  readonly places: CodePlaces;
  readonly output: Output;
  readonly cpu: CpuProfile;
  readonly moduleVersion: ModuleVersion;
  readonly hostProfile: HostProfile;
  /** 4 where left out */
  readonly quoteVersion?: QuoteVersion | undefined;
  readonly maxInstructions?: number | undefined;
  readonly seed?: number | undefined;
  readonly engine?: 'compiler' | 'interpreter' | undefined;
  readonly compilation?: EngineOptions | undefined;
  /** told what has been generated, when the TD has ended */
  readonly keepGenerated?: ((code: GeneratedCode) => void) | undefined;
  /** file for where the guest spends its instructions */
  readonly profile?: string | undefined;
  /** says where the time goes */
  readonly stats?: RunStats | undefined;
  /** file for the report as JSON */
  readonly json?: string | undefined;
  readonly verbose?: boolean | undefined;
  /** file for what comes from outside */
  readonly record?: string | undefined;
  /** what came from outside in a run that is lived again */
  readonly replay?: readonly RecordedInput[] | undefined;
  readonly trace?: TraceOptions | undefined;
  readonly check?: CheckOptions | undefined;
  /** what is run, for reports of findings */
  readonly subject?: string;
  /** live counters below the console; standard output must be a terminal */
  readonly top?: boolean | undefined;
}

/** Builds and runs the TD, reports on stderr, and returns the exit code. */
export async function runTd(options: TdRunOptions): Promise<number> {
  const { show, output, maxInstructions = Number.MAX_SAFE_INTEGER, replay = [] } = options;
  const guestConsole = new GuestConsole(consoleTargets(options), options.atShell);
  const observed = new ObservedRun({
    trace: options.trace ?? {},
    places: options.places,
    check: options.check ?? {},
    consoleText: () => guestConsole.text,
  });
  const { crossings } = observed;
  const top = options.top === true ? new Top() : undefined;
  const platform = new TdxPlatform({
    memoryBytes: options.memoryBytes,
    observer: top === undefined ? observed.observer : observeAll(observed.observer, top.observer),
    cpu: options.cpu,
    moduleVersion: options.moduleVersion,
    hostProfile: options.hostProfile,
    ...(options.quoteVersion && { quoteVersion: options.quoteVersion }),
    seed: options.seed ?? DEFAULT_SEED,
    engine: options.engine ?? 'compiler',
    ...(options.compilation !== undefined && { compilation: options.compilation }),
  });
  let debug: AttachedDebugger | undefined;
  const consoleOutput = (byte: number): void => {
    if (debug?.control.isReliving !== true) guestConsole.transmit(byte);
  };
  const snapshot = wantedSnapshot(options, platform, options.about);
  const td = await options.build(platform, consoleOutput);
  const inputs: RecordedInput[] = [];
  observed.attach(platform, td);
  const reportOf = (instructionsRetired: number, wallMilliseconds: number): RunReport =>
    runReport({
      crossings,
      mrtd: Buffer.from(td.readMrtd()).toString('hex'), // hashed now, not before the guest runs
      instructionsRetired,
      virtualNanoseconds: platform.clock.nowTicks,
      wallMilliseconds,
      unimplemented: platform.unimplementedInstructions,
    });

  debug = await attachDebugger(options, { platform, td, crossings }, output);
  const profile = options.profile === undefined ? undefined : new GuestProfile(observed.orcTable);
  profile?.attach(platform);
  const firstInstructionMilliseconds = performance.now();
  const session = await runSession({
    td,
    debugger: debug?.control,
    clock: platform.clock,
    console: guestConsole,
    output,
    maxInstructions,
    interactive: show === 'interactive',
    replay,
    record: (input) => inputs.push(input),
    snapshot,
    quietSentence: () => observed.quietSentence(),
    onSlice: top && ((instructions) => top.update(platform, td, crossings, instructions)),
    crossingsSoFar: (instructions, milliseconds) => formatRunReport(reportOf(instructions, milliseconds)),
  });

  const stats = options.stats?.end(platform);
  await debug?.close();
  top?.close();
  observed.end();
  options.keepGenerated?.(platform.processors.generatedCode);
  const death = session.leftBy === undefined ? observed.postMortem(session.end) : undefined;
  const report = reportOf(session.instructions, session.wallMilliseconds);
  const findings = observed.check?.findings ?? [];
  const ended = exitCodeOf(session, death, guestConsole);
  const exitCode = ended === ExitCode.Ended && hasErrors(findings) ? ExitCode.Refused : ended;
  output.note(`\n${formatRunReport(report)}`);
  if (stats !== undefined) output.always(`\n${formatRunStats(stats)}`);
  if (death !== undefined) {
    // what nobody has seen yet
    if (show === 'command' && !options.verbose) output.always(`\n${guestConsole.lastLines(unseenLines).join('\n')}`);
    const isReplay = replay.length > 0 && inputs.length === replay.length;
    const recording = inputs.length === 0 || isReplay ? undefined : (options.record ?? (await keepInputs(inputs)));
    output.always(`\n${deathText(death, recording)}`);
  }
  if (session.leftBy === undefined && session.end.cause === 'instruction-limit') {
    output.always(`The limit of ${maxInstructions} instructions was reached ${observed.where()}.`);
  }
  await observed.check?.tell(output, options.subject ?? 'the guest', options.places.sources);
  if (options.record !== undefined) await writeInputs(options.record, inputs);
  if (options.profile !== undefined && profile !== undefined)
    await writeText(options.profile, profile.folded(observed.symbols));
  if (options.json !== undefined) {
    await writeReport(options.json, {
      ...report,
      firstInstructionMilliseconds, // since the process started
      ...(stats !== undefined && { stats }),
      end: { cause: session.end.cause, sentence: death?.cause ?? null, exitCode },
      death: death ?? null,
      ...(observed.check === undefined ? {} : { findings: plainFindings(findings) }),
    });
  }
  return exitCode;
}

/** What was typed to a run that died is kept, so that it can die again. */
async function keepInputs(inputs: readonly RecordedInput[]): Promise<string> {
  const directory = join(cacheDirectory(), 'recordings');
  await mkdir(directory, { recursive: true });
  const path = join(directory, `${new Date().toISOString().replaceAll(':', '-')}.inputs`);
  await writeInputs(path, inputs);
  return path;
}

function consoleTargets({ show, verbose = false }: TdRunOptions): ConsoleTargets {
  const stdout = (bytes: Uint8Array): void => void process.stdout.write(bytes);
  const stderr = (bytes: Uint8Array): void => void process.stderr.write(bytes);
  if (show !== 'command') return { onBoot: stdout, onCommand: stdout };
  return verbose ? { onBoot: stderr, onCommand: stdout } : { onCommand: stdout };
}

function exitCodeOf({ end, leftBy }: SessionEnd, death: PostMortem | undefined, guestConsole: GuestConsole): number {
  if (leftBy !== undefined) return leftBy === 'signal' ? ExitCode.Interrupted : ExitCode.Ended;
  if (end.cause === 'instruction-limit') return ExitCode.Limit;
  // a guest that resets itself may well have meant it
  if (death !== undefined && death.id !== 'reset') return ExitCode.Died;
  return guestConsole.commandStatus ?? ExitCode.Ended;
}
