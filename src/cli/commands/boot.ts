/** `seamulator boot`: a Linux kernel as a TD. */

import { Command, Option } from 'commander';
import { TdAttribute } from '../../abi/index.ts';
import type { QuoteVersion } from '../../attestation/index.ts';
import type { Bytes } from '../../bits/index.ts';
import { orcPlacesInElf, symbolLookup, symbolsIn } from '../../debug/index.ts';
import type { LoadPlan, NamedFile } from '../../loader/index.ts';
import {
  type CpuProfile,
  DEFAULT_SEED,
  type HostProfile,
  type ModuleVersion,
  type SnapshotInput,
} from '../../machine/index.ts';
import {
  AptUnavailable,
  CodeStore,
  FileError,
  hasTerminal,
  kernelKey,
  readUserFile,
  sha256Of,
} from '../../node/index.ts';
import { BUILT_IN_GUEST_BYTES, planBuiltInGuest } from '../built-in-guest.ts';
import { type CheckOptions, checkOption, checkReportOption, noDebugger } from '../check-options.ts';
import { type CodePlaces, NO_PLACES, placesIn, sourcesIn } from '../code-places.ts';
import { compilingThread } from '../compiling-thread.ts';
import { type DebuggerOptions, gdbOption, gdbViewOption, pausedOption } from '../debugger.ts';
import { CommandError, ExitCode } from '../exit-codes.ts';
import { BUSYBOX_INITRD, DEBIAN_KERNEL, type GuestFiles, readGuest } from '../guest-sources.ts';
import { readInputs } from '../inputs.ts';
import { COMMAND_LINE_BASE, linuxCommandLine, linuxPlan } from '../linux-plan.ts';
import { count, memorySize, seed, vcpuCount } from '../option-values.ts';
import { Output } from '../output.ts';
import { cpuOption, quoteVersionOption, tdxModuleOption, vmmOption } from '../platform-options.ts';
import { RunStats } from '../run-stats.ts';
import { type SnapshotOptions, snapshotAtOption, snapshotOption } from '../snapshot-options.ts';
import { type RunAbout, runTd, type Show, type TdRunOptions } from '../td-run.ts';
import { type TraceOptions, traceFilterOption, traceOption } from '../trace-options.ts';

interface BootOptions extends TraceOptions, CheckOptions, DebuggerOptions, SnapshotOptions {
  readonly kernel: string;
  readonly initrd: string;
  readonly append: string;
  readonly memory: number;
  readonly vcpus: number;
  readonly seed: number;
  readonly exec?: string;
  readonly cpu: CpuProfile;
  readonly tdxModule: ModuleVersion;
  readonly vmm: HostProfile;
  readonly quoteVersion: QuoteVersion;
  readonly debugTd?: boolean;
  readonly maxInstructions?: number;
  readonly engine: 'compiler' | 'interpreter';
  readonly symbols?: string;
  readonly top?: boolean;
  readonly stats?: boolean;
  readonly profile?: string;
  readonly json?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly record?: string;
  readonly replay?: string;
}

/** What runs where there is neither a terminal nor --exec. */
const showcase = 'uname -a; dmesg | grep -i tdx';

const examples = `
Examples:
  seamulator boot                                  Debian's kernel, a shell on your terminal
  seamulator boot --exec 'dmesg | grep -i tdx'     one command; its output, its exit status
  seamulator boot --vcpus 4 --exec nproc           four vCPUs; another --seed, another order of their turns
  seamulator boot --kernel bzImage --initrd my.cpio --append 'quiet' --memory 1G
  seamulator boot --exec true --trace boot.json     for https://ui.perfetto.dev; see "seamulator trace --help" too
  seamulator boot --exec 'echo c >/proc/sysrq-trigger'   a death and its report
  seamulator boot --exec true --profile boot.folded    for https://www.speedscope.app or flamegraph.pl
  seamulator boot --exec true --json run.json      every crossing, counted, for programs
  seamulator boot --exec true --check                 each place where the guest breaks the contract; see "seamulator check --help"
  seamulator boot --append nokaslr --gdb 1234 --paused    wait for gdb at the reset vector
  seamulator boot --snapshot-at marker --snapshot shell.snap    keep it at its shell; see "seamulator resume --help"

Exit codes: 0 the guest ended well (with --exec: the status of the command), 1 wrong usage, 2 the TD died,
3 a file cannot be read or loaded, 4 --max-instructions was reached, 5 --check found an error.`;

export function bootCommand(exit: (code: number) => void): Command {
  return new Command('boot')
    .description('boot a Linux kernel as a Trust Domain')
    .option('--kernel <file>', 'a bzImage or vmlinux, or "debian": fetched with apt once', DEBIAN_KERNEL)
    .option('--initrd <file>', 'an initramfs, or "busybox": made of Debian\'s busybox-static', BUSYBOX_INITRD)
    .option('--append <text>', `added to the kernel command line "${COMMAND_LINE_BASE}"`, '')
    .option('--memory <size>', 'private memory of the TD, like 512M or 2G', memorySize, memorySize('512M'))
    .option('--vcpus <count>', 'virtual processors of the TD', vcpuCount, 1)
    .option('--seed <number>', 'of all that is random: entropy, keys, the order of vCPUs', seed, DEFAULT_SEED)
    .option('--exec <command>', 'run a shell command in the guest, print its output, power off, exit with its status')
    .addOption(cpuOption())
    .addOption(tdxModuleOption())
    .addOption(vmmOption())
    .addOption(quoteVersionOption())
    .option('--debug-td', 'a debug TD (ATTRIBUTES.DEBUG): the TDX module lets its host read and write it')
    .option('--max-instructions <count>', 'stop after so many instructions, like 5G', count)
    .addOption(
      new Option('--engine <engine>', 'how the guest is executed; the same bits either way')
        .choices(['compiler', 'interpreter'])
        .default('compiler'),
    )
    .option(
      '--symbols <file>',
      'names of kernel addresses: a System.map or a vmlinux; default: what the guest knows itself',
    )
    .option('--json <file>', 'write the report of the run as JSON')
    .option(
      '--stats',
      'say where the time of the run goes: decoding, translating, interpreting, compiled code, exits, devices',
    )
    .option(
      '--profile <file>',
      'write where the guest spends its instructions: call chains of kernel functions as folded stacks, for flame graphs',
    )
    .option('--top', 'live counters below the console; needs a terminal')
    .addOption(traceOption())
    .addOption(traceFilterOption())
    .addOption(checkOption())
    .addOption(checkReportOption())
    .addOption(gdbOption())
    .addOption(gdbViewOption())
    .addOption(pausedOption())
    .addOption(snapshotAtOption())
    .addOption(snapshotOption())
    .option('--record <file>', 'write what is typed, and when, for --replay')
    .option('--replay <file>', 'type what a recorded run was typed, at the same instructions')
    .option('--quiet', 'print what the guest prints, and nothing of our own but complaints')
    .option('--verbose', 'with --exec: show the boot messages too, on stderr')
    .addHelpText('after', examples)
    .action(async (options: BootOptions) => exit(await boot(options)));
}

async function boot(options: BootOptions): Promise<number> {
  if (options.top === true && !process.stdout.isTTY) throw new CommandError(ExitCode.Usage, '--top needs a terminal.');
  noDebugger(options, options);
  const output = new Output(options);
  const stats = options.stats === true ? new RunStats() : undefined;
  const show: Show = options.exec !== undefined ? 'command' : hasTerminal() ? 'interactive' : 'everything';
  const isOurInitrd = options.initrd === BUSYBOX_INITRD;
  const toShell = options.snapshotAt === 'marker';
  const command = options.exec ?? (show === 'everything' && isOurInitrd && !toShell ? showcase : undefined);
  let guest: GuestFiles;
  try {
    guest = await readGuest({ kernel: options.kernel, initrd: options.initrd, command }, output);
  } catch (error) {
    output.progress.done();
    if (error instanceof FileError) throw new CommandError(ExitCode.BadInput, error.message);
    if (!(error instanceof AptUnavailable)) throw error;
    const wantsDefault = options.kernel === DEBIAN_KERNEL && isOurInitrd && options.exec === undefined;
    if (!wantsDefault) {
      const advice = options.exec === undefined ? 'Give --kernel and --initrd.' : "--exec needs Debian's busybox.";
      throw new CommandError(ExitCode.BadInput, `${error.message} ${advice}`);
    }
    output.always(`${error.message} The built-in guest runs instead.`);
    return runBuiltInGuest(options, output);
  }
  const thread = options.engine === 'compiler' ? compilingThread(output) : undefined;
  if (thread !== undefined) stats?.watch(thread);
  const inputs = [inputOf('kernel', guest.kernel), inputOf('initramfs', guest.initrd)];
  output.note(
    `Booting ${guest.description} as a TD with ${options.memory / 2 ** 20} MiB${options.vcpus > 1 ? ` and ${options.vcpus} vCPUs` : ''}.`,
  );
  if (show === 'interactive') output.note('Ctrl-A X leaves, Ctrl-A ? helps; "exit" or "poweroff -f" ends the TD.');
  const plan = linuxPlan(
    guest,
    linuxCommandLine(options.append, show === 'command' && options.verbose !== true),
    options,
  );
  const store = new CodeStore(`${kernelKey(guest.kernel.bytes)} ${options.cpu.name}`);
  return runTd({
    ...builtFrom(plan, options, output),
    about: aboutRun(options, inputs),
    memoryBytes: options.memory,
    show,
    places: await placesOf(options.symbols, guest),
    output,
    stats,
    profile: options.profile,
    cpu: options.cpu,
    moduleVersion: options.tdxModule,
    hostProfile: options.vmm,
    quoteVersion: options.quoteVersion,
    seed: options.seed,
    maxInstructions: options.maxInstructions,
    engine: options.engine,
    compilation: {
      ...(thread !== undefined && { compiler: thread }),
      ...(store.stored !== undefined && { ready: store.stored }),
    },
    keepGenerated: (code) => store.save(code),
    json: options.json,
    verbose: options.verbose,
    trace: options,
    check: options,
    subject: guest.kernel.name,
    gdb: options.gdb,
    gdbView: options.gdbView,
    paused: options.paused,
    top: options.top,
    snapshotAt: options.snapshotAt,
    snapshot: options.snapshot,
    record: options.record,
    replay: options.replay === undefined ? undefined : await readInputs(options.replay),
  }).finally(() => thread?.close());
}

/** Names and lines from the file that was given, else from the kernel where it is an ELF file. */
async function placesOf(path: string | undefined, { kernel: { bytes, name } }: GuestFiles): Promise<CodePlaces> {
  if (path === undefined) return placesIn(bytes, name);
  try {
    const given = await readUserFile(path, 'symbols');
    const symbols = symbolsIn(given, path);
    const orc = () => orcPlacesInElf(given, path) ?? orcPlacesInElf(bytes, name);
    if (symbols.length > 0) return { symbols: symbolLookup(symbols), sources: sourcesIn(given, path), orc };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new CommandError(ExitCode.BadInput, error.message);
  }
  throw new CommandError(
    ExitCode.BadInput,
    `${path} holds no symbols: give a System.map or a vmlinux that was not stripped.`,
  );
}

/** Hashed when a snapshot is made, which few runs do. */
function inputOf(role: string, { name, bytes }: NamedFile<Bytes>): SnapshotInput {
  return {
    role,
    name,
    get sha256() {
      return sha256Of(bytes);
    },
  };
}

function aboutRun(
  { memory, seed, cpu, tdxModule, vmm, quoteVersion }: BootOptions,
  inputs: readonly SnapshotInput[],
): RunAbout {
  const platform = { memoryBytes: memory, seed, cpu: cpu.name, tdxModule: tdxModule.name, vmm: vmm.name, quoteVersion };
  return { kind: 'boot', command: process.argv.slice(2), inputs, platform };
}

function builtFrom(plan: LoadPlan, { debugTd }: BootOptions, output: Output): Pick<TdRunOptions, 'build'> {
  for (const warning of plan.warnings) output.always(`Warning: ${warning}.`);
  const params = debugTd === true ? { attributes: TdAttribute.DEBUG | TdAttribute.SEPT_VE_DISABLE } : {};
  return { build: (platform, consoleOutput) => platform.buildTd(plan, { consoleOutput, params }) };
}

function runBuiltInGuest(options: BootOptions, output: Output): Promise<number> {
  return runTd({
    ...builtFrom(planBuiltInGuest(), options, output),
    about: aboutRun({ ...options, memory: BUILT_IN_GUEST_BYTES }, []),
    memoryBytes: BUILT_IN_GUEST_BYTES,
    show: 'everything',
    places: NO_PLACES,
    output,
    cpu: options.cpu,
    moduleVersion: options.tdxModule,
    hostProfile: options.vmm,
    seed: options.seed,
    maxInstructions: options.maxInstructions,
    engine: options.engine,
    json: options.json,
    gdb: options.gdb,
    gdbView: options.gdbView,
    paused: options.paused,
    trace: options,
    check: options,
    subject: 'the built-in guest',
    top: options.top,
    snapshotAt: options.snapshotAt,
    snapshot: options.snapshot,
  });
}
