/** `seamulator exec`: one function of an object, run for real in a bare TD. */

import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { Gpr, type ModuleVersion, type TdvmcallStatus } from '../../abi/index.ts';
import { QuoteVersion } from '../../attestation/index.ts';
import { hex, type Stateful } from '../../bits/index.ts';
import { type CrossingRecorder, linkedSourceLines, placeText, symbolLookup } from '../../debug/index.ts';
import { vectorName } from '../../isa/index.ts';
import { type LinkedObject, LoadError, type NamedFile, parseElf } from '../../loader/index.ts';
import {
  type CpuProfile,
  DEFAULT_SEED,
  type FunctionArgument,
  type FunctionCall,
  type FunctionCrossing,
  type FunctionResult,
  type HostProfile,
  type PreparedFunction,
  prepareFunction,
  type RegisterValues,
  type SnapshotAbout,
  type TdEnd,
  type TdxPlatform,
  type VmmHooks,
} from '../../machine/index.ts';
import { FileError, readUserFile, sha256Of } from '../../node/index.ts';
import {
  type CheckOptions,
  checkOption,
  checkReportOption,
  hasErrors,
  noDebugger,
  plainFindings,
} from '../check-options.ts';
import { type CodePlaces, NO_PLACES, sourcesOnDisk } from '../code-places.ts';
import { attachDebugger, type DebuggerOptions, gdbOption, gdbViewOption, pausedOption } from '../debugger.ts';
import { CommandError, ExitCode } from '../exit-codes.ts';
import { functionArgument } from '../function-argument.ts';
import { deathText, ObservedRun } from '../observed-run.ts';
import { count } from '../option-values.ts';
import { Output } from '../output.ts';
import { cpuOption, tdxModuleOption, vmmOption } from '../platform-options.ts';
import { writeReport } from '../report-file.ts';
import { runInSlices } from '../sliced-run.ts';
import { type SnapshotOptions, snapshotAtOption, snapshotOption, wantedSnapshot } from '../snapshot-options.ts';
import type { RunAbout } from '../td-run.ts';
import { type TraceOptions, traceFilterOption, traceOption } from '../trace-options.ts';

interface ExecOptions extends TraceOptions, CheckOptions, DebuggerOptions, SnapshotOptions {
  readonly arg: readonly FunctionArgument[];
  readonly host: keyof typeof hosts;
  readonly cpu: CpuProfile;
  readonly tdxModule: ModuleVersion;
  readonly vmm: HostProfile;
  readonly maxInstructions?: number;
  readonly json?: string;
}

const GARBAGE = 0xbad0_bad0_bad0_bad0n;

/** Who answers the VMM's side of the calls. */
const hosts = {
  usual: {},
  garbage: {
    tdvmcall: () => GARBAGE as TdvmcallStatus,
    beforeEntry: ({ registers }) => {
      for (let register = Gpr.RDX; register <= Gpr.R15; register++) registers.u64[register] = GARBAGE;
    },
  },
} as const satisfies Record<string, VmmHooks>;

const examples = `
An argument is a number, passed by value, or NAME={WORD,WORD,...}: a structure of 64-bit words, passed by address and
shown again afterwards.

Examples, with the two calls of Linux 6.1:
  seamulator exec tdcall.o __tdx_module_call --arg 1 --arg 0 --arg 0 --arg 0 --arg 0 --arg 'out={0,0,0,0,0,0}'
  seamulator exec tdcall.o __tdx_hypercall --arg 'args={0,30,1,1,0x3f8,65}' --arg 1
  seamulator exec tdcall.o __tdx_hypercall --arg 'args={0,12,0,0,0,0}' --arg 3 --host garbage
  seamulator exec tdcall.o __tdx_hypercall --arg 'args={0,12,0,0,0,0}' --arg 3 --gdb 1234 --paused
  seamulator exec f.o slow --snapshot-at 5M --snapshot f.snap    kept on the way; "seamulator resume f.snap" goes on

Exit codes: 0 the function returned, 1 wrong usage, 2 it did not (panic function, exception, the TD stopped),
3 the object cannot be read or linked, 4 --max-instructions was reached, 5 --check found an error.`;

export function execCommand(exit: (code: number) => void): Command {
  return commandLine()
    .addHelpText('after', examples)
    .action(async (object: string, symbol: string, options: ExecOptions) => exit(await exec(object, symbol, options)));
}

function commandLine(): Command {
  return new Command('exec')
    .description('Runs one function of an ELF object in a bare TD and shows what crossed its border.')
    .argument('<object>', 'an ELF relocatable (.o) or a static executable')
    .argument('<symbol>', 'the function, called by the SysV ABI')
    .option('--arg <value>', 'the next argument: a number, or name={word,word,...}', functionArgument, [])
    .addOption(new Option('--host <kind>', 'who answers the hypercalls').choices(Object.keys(hosts)).default('usual'))
    .addOption(cpuOption())
    .addOption(tdxModuleOption())
    .addOption(vmmOption())
    .option('--max-instructions <count>', 'stop after so many instructions (default 10M)', count)
    .option('--json <file>', 'write the result as JSON')
    .addOption(traceOption())
    .addOption(traceFilterOption())
    .addOption(checkOption())
    .addOption(checkReportOption())
    .addOption(gdbOption())
    .addOption(gdbViewOption())
    .addOption(pausedOption())
    .addOption(snapshotAtOption())
    .addOption(snapshotOption());
}

/** A run that was kept in a snapshot. */
export interface KeptExec {
  readonly about: SnapshotAbout;
  /** takes a platform that was made in the same way to that moment; `seen` as it was given to the snapshot */
  readonly restore: (platform: TdxPlatform, seen: Stateful) => Promise<void>;
}

/** Goes on with a kept run. @param asked what is asked of it now; the function, its arguments and its host are what they were */
export function resumeExec(
  kept: KeptExec,
  asked: Omit<ExecOptions, 'arg' | 'host' | 'cpu' | 'tdxModule' | 'vmm'>,
): Promise<number> {
  const { command, inputs } = kept.about;
  const parsed = commandLine().exitOverride().parse(command.slice(1), { from: 'user' });
  const { arg, host, cpu, tdxModule, vmm } = parsed.opts<ExecOptions>();
  return exec(inputs[0]!.name, parsed.args[1]!, { ...asked, arg, host, cpu, tdxModule, vmm }, kept);
}

async function exec(path: string, symbol: string, options: ExecOptions, kept?: KeptExec): Promise<number> {
  if (options.snapshotAt === 'marker')
    throw new CommandError(ExitCode.Usage, 'A function puts no mark on a console: give --snapshot-at a number.');
  const output = new Output({});
  noDebugger(options, options);
  let places = NO_PLACES;
  const observed = new ObservedRun({
    trace: options,
    check: options,
    places: { symbols: (rip) => places.symbols(rip), sources: (rip) => places.sources(rip) },
    consoleText: () => '',
  });
  let result: FunctionResult;
  try {
    const object = { name: path, bytes: await readUserFile(path, 'object') };
    const call: FunctionCall = {
      object,
      symbol,
      args: options.arg,
      hostHooks: hosts[options.host],
      cpu: options.cpu,
      moduleVersion: options.tdxModule,
      hostProfile: options.vmm,
      observer: observed.observer,
      ...(options.maxInstructions === undefined ? {} : { maxInstructions: options.maxInstructions }),
    };
    const prepared = prepareFunction(call);
    places = placesOf(object, prepared.object);
    observed.attach(prepared.platform, prepared.td, {
      entries: [BigInt(prepared.object.symbols.get(symbol)!)],
      argumentCount: options.arg.length,
      isChecked: (linear) =>
        prepared.object.pieces.some(
          ({ startGpa, content }) => linear >= startGpa && linear < startGpa + content.length,
        ),
    });
    await kept?.restore(prepared.platform, prepared.seen);
    const about = kept?.about ?? aboutRun(object, options, prepared);
    result = prepared.finish(await run(prepared, observed.crossings, path, options, output, about));
  } catch (error) {
    if (error instanceof FileError) throw new CommandError(ExitCode.BadInput, error.message);
    if (error instanceof LoadError) throw new CommandError(ExitCode.BadInput, `${error.message}.`);
    throw error;
  } finally {
    observed.end();
  }
  const { text, exitCode } = ending(result, places);
  const lines = [
    output.heading(`${symbol} of ${path}`),
    ...result.crossings.map(crossingLine),
    ...result.structures.flatMap(({ name, before, after }) => structureLines(name, before, after)),
    ...(result.interrupts.length === 0 ? [] : [`interrupts taken: ${result.interrupts.map((v) => hex(v)).join(', ')}`]),
    ...(result.clobbered.length === 0 ? [] : [`not restored, though callee-saved: ${result.clobbered.join(', ')}`]),
    text,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  const death = result.outcome.how === 'ended' ? observed.postMortem(result.outcome.end) : undefined;
  if (death !== undefined) output.always(`\n${deathText(death)}`);
  const findings = observed.check?.findings ?? [];
  await observed.check?.tell(output, path, places.sources);
  if (options.json !== undefined)
    await writeReport(options.json, {
      ...(plain(result) as object),
      death: death ?? null,
      ...(observed.check === undefined ? {} : { findings: plainFindings(findings) }),
    });
  return exitCode === ExitCode.Ended && hasErrors(findings) ? ExitCode.Refused : exitCode;
}

async function run(
  { platform, td, maxInstructions, object, keep, seen }: PreparedFunction,
  crossings: CrossingRecorder,
  path: string,
  options: DebuggerOptions & SnapshotOptions,
  output: Output,
  about: RunAbout,
): Promise<TdEnd> {
  const snapshot = wantedSnapshot(options, platform, about, seen);
  const debug = await attachDebugger(options, { platform, td, crossings }, output, {
    hints: symbolHints(path, object),
    keep,
  });
  if (debug === undefined && snapshot === undefined) return td.run({ instructions: maxInstructions }).end;
  const end = await runInSlices(td, { maxInstructions, control: debug?.control, snapshot, output });
  await debug?.close();
  return end;
}

function aboutRun({ name, bytes }: NamedFile, options: ExecOptions, { memoryBytes }: PreparedFunction): RunAbout {
  const { cpu, tdxModule, vmm } = options;
  const platform = { memoryBytes, seed: DEFAULT_SEED, cpu: cpu.name, tdxModule: tdxModule.name, vmm: vmm.name };
  return {
    kind: 'exec',
    command: process.argv.slice(2),
    inputs: [{ role: 'object', name: resolve(name), sha256: sha256Of(bytes) }],
    platform: { ...platform, quoteVersion: QuoteVersion.V4 },
  };
}

/** What gdb's user types to have the object's symbols; an executable's are where the file says. */
function symbolHints(path: string, { sections }: LinkedObject): string[] {
  const places = [...sections].map(([name, address]) => `-s ${name} ${hex(address)}`);
  return [`gdb: ${places.length === 0 ? 'file' : 'add-symbol-file'} ${[path, ...places].join(' ')}`];
}

function registerText(values: RegisterValues): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${hex(value)}`)
    .join(', ');
}

function crossingLine(crossing: FunctionCrossing): string {
  if (crossing.answeredBy === 'module')
    return `  the module answers ${crossing.name}: RCX ${hex(crossing.rcx)}, ${crossing.statusName}`;
  const { name, mask, given, received, status } = crossing;
  return [
    `  the VMM answers ${name}: R10 ${hex(status)}, exposed registers ${hex(mask)}`,
    `    given     ${registerText(given)}`,
    `    received  ${registerText(received)}`,
  ].join('\n');
}

function structureLines(name: string, before: Uint8Array, after: Uint8Array): string[] {
  const words = (bytes: Uint8Array): bigint[] => [...new BigUint64Array(bytes.slice().buffer)];
  const old = words(before);
  return [
    `  ${name}:`,
    ...words(after).map((word, i) => {
      const changed = word === old[i] ? '' : `  (was ${hex(old[i]!)})`;
      return `    +${hex(i * 8, 2)}  ${hex(word, 16)}${changed}`;
    }),
  ];
}

function placesOf({ bytes, name }: NamedFile, object: LinkedObject): CodePlaces {
  const symbols = [...object.symbols].map(([label, at]) => ({ name: label, address: BigInt(at), sizeBytes: 0 }));
  return { symbols: symbolLookup(symbols), sources: sourcesOnDisk(linkedSourceLines(parseElf(bytes, name), object)) };
}

function ending({ outcome }: FunctionResult, { symbols, sources }: CodePlaces): { text: string; exitCode: number } {
  const placed = (address: bigint, within = address): string => {
    const source = sources(within);
    const names = [symbols(address), source === undefined ? undefined : placeText(source)];
    const known = names.filter((name) => name !== undefined).join(', ');
    return known === '' ? hex(address) : `${hex(address)} (${known})`;
  };
  switch (outcome.how) {
    case 'returned':
      return { text: `returned ${hex(outcome.rax)}`, exitCode: ExitCode.Ended };
    case 'panicked':
      return {
        text: `called ${outcome.symbol} from ${placed(BigInt(outcome.callerGpa), BigInt(outcome.callerGpa) - 1n)}: it gave up`,
        exitCode: ExitCode.Died,
      };
    case 'exception':
      return {
        text: `exception ${vectorName(outcome.vector)}, error code ${hex(outcome.errorCode)}, RIP ${placed(outcome.rip)}, CR2 ${hex(outcome.cr2)}`,
        exitCode: ExitCode.Died,
      };
    case 'ended': {
      const limit = outcome.end.cause === 'instruction-limit';
      const message = 'message' in outcome.end ? `: ${String(outcome.end.message)}` : '';
      return { text: `the TD ended: ${outcome.end.cause}${message}`, exitCode: limit ? ExitCode.Limit : ExitCode.Died };
    }
  }
}

/** The result with 64-bit values as hex text and bytes as arrays, as JSON can hold them. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return hex(value);
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
  return value;
}
