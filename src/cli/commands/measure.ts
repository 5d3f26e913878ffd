/** `seamulator measure`: what a TD will measure, without running it. */

import { Command, Option } from 'commander';
import { hex } from '../../bits/index.ts';
import {
  contentDigest,
  eventText,
  firstDifference,
  hexOf,
  type Measurements,
  measureFirmware,
  measurePlan,
  PAGE_ORDERS,
  type PageOrder,
  readReported,
  registerName,
  withEventLog,
} from '../../debug/index.ts';
import { eventTypeName, type FirmwareEvent, readTdvfSections } from '../../loader/index.ts';
import { AptUnavailable, FileError, readUserFile } from '../../node/index.ts';
import { CommandError, ExitCode } from '../exit-codes.ts';
import { BUSYBOX_INITRD, DEBIAN_KERNEL, readGuest } from '../guest-sources.ts';
import { COMMAND_LINE_BASE, linuxCommandLine, linuxPlan, orSentence } from '../linux-plan.ts';
import { memorySize, vcpuCount } from '../option-values.ts';
import { Output } from '../output.ts';

interface MeasureOptions {
  readonly kernel: string;
  readonly initrd: string;
  readonly append: string;
  readonly memory: number;
  readonly vcpus: number;
  readonly exec?: string;
  readonly firmware?: string;
  readonly pageOrder: PageOrder;
  readonly log?: string;
  readonly json?: boolean;
  readonly diff?: string;
}

const examples = `
Examples:
  seamulator measure --exec 'uname -a'             what "boot --exec 'uname -a'" will measure
  seamulator measure --kernel bzImage --initrd my.cpio --append 'quiet' --memory 1G
  seamulator measure --firmware OVMF.fd --page-order add-then-measure
  seamulator measure --firmware OVMF.fd --memory 2G --log ccel.bin --diff quote.bin
                                                   does the quote tell of this firmware and of what the log says?
  seamulator measure --exec 'uname -a' --diff quote.bin
                                                   what is different, if anything, in a TDREPORT, a quote, an event log

Exit codes: 0 measured (with --diff: no difference), 1 wrong usage, 3 a file cannot be read or loaded, 5 --diff found one.`;

export function measureCommand(exit: (code: number) => void): Command {
  return new Command('measure')
    .description('compute MRTD and RTMRs of a TD without running it')
    .option('--kernel <file>', 'as for boot', DEBIAN_KERNEL)
    .option('--initrd <file>', 'as for boot', BUSYBOX_INITRD)
    .option('--append <text>', `added to the kernel command line "${COMMAND_LINE_BASE}"`, '')
    .option('--memory <size>', 'private memory of the TD, like 512M or 2G', memorySize, memorySize('512M'))
    .option('--vcpus <count>', 'virtual processors of the TD', vcpuCount, 1)
    .option('--exec <command>', 'as for boot: the command is in the initramfs, "quiet" in the command line')
    .option(
      '--firmware <file>',
      'a firmware image with TDVF metadata, in place of a kernel; --memory is for its TD HOB',
    )
    .addOption(
      new Option('--page-order <order>', 'with --firmware: how the host measures a section')
        .choices(PAGE_ORDERS)
        .default(PAGE_ORDERS[0]),
    )
    .option('--log <file>', 'with --firmware: the event log of such a boot, which is checked; RTMRs follow from it')
    .option('--json', 'for programs')
    .option('--diff <file>', 'name the first difference to a TDREPORT, a quote or an event log')
    .addHelpText('after', examples)
    .action(async (options: MeasureOptions) => exit(await measure(options)));
}

async function measure(options: MeasureOptions): Promise<number> {
  try {
    const measurements =
      options.firmware === undefined ? await measureLinux(options) : await measureImage(options.firmware, options);
    const text = options.json ? JSON.stringify(jsonOf(measurements), null, 2) : tableOf(measurements);
    process.stdout.write(`${text}\n`);
    return options.diff === undefined ? ExitCode.Ended : await compare(measurements, options.diff);
  } catch (error) {
    if (error instanceof FileError || error instanceof AptUnavailable)
      throw new CommandError(ExitCode.BadInput, error.message);
    throw error;
  }
}

async function measureLinux(options: MeasureOptions): Promise<Measurements> {
  const { kernel, initrd, exec: command } = options;
  const guest = await readGuest({ kernel, initrd, command }, new Output({}));
  return measurePlan(linuxPlan(guest, linuxCommandLine(options.append, command !== undefined), options));
}

async function measureImage(path: string, { pageOrder, memory, log }: MeasureOptions): Promise<Measurements> {
  const image = await readUserFile(path, 'firmware');
  const measurements = measureFirmware(
    orSentence(() => readTdvfSections(image, path)),
    pageOrder,
    memory,
  );
  return log === undefined ? measurements : await completedBy(measurements, log);
}

/** Throws if the log has not what the image decides. */
async function completedBy(measurements: Measurements, path: string): Promise<Measurements> {
  const reported = readReported(await readUserFile(path, 'event log'));
  if (reported?.kind !== 'event log') throw new CommandError(ExitCode.BadInput, `${path} is no event log.`);
  const difference = firstDifference(measurements, reported);
  if (difference !== undefined) throw new CommandError(ExitCode.Refused, `${path}: ${difference}.`);
  return withEventLog(measurements, reported.events);
}

async function compare(measurements: Measurements, path: string): Promise<number> {
  const reported = readReported(await readUserFile(path, 'report'));
  if (reported === undefined)
    throw new CommandError(ExitCode.BadInput, `${path} is neither a TDREPORT nor a quote nor an event log.`);
  const difference = firstDifference(measurements, reported);
  // without a log there is nothing to compare the registers of a firmware's TD with
  const same = measurements.rtmrs === undefined && reported.kind !== 'event log' ? 'the same of MRTD' : 'the same';
  process.stdout.write(
    difference === undefined ? `\n${path}, a ${reported.kind}, says ${same}.\n` : `\n${path}: ${difference}.\n`,
  );
  return difference === undefined ? ExitCode.Ended : ExitCode.Refused;
}

function jsonOf({ parts, order, mrtd, events, firmwareEvents, rtmrs }: Measurements): object {
  return {
    mrtd: hexOf(mrtd),
    ...(rtmrs && { rtmrs: rtmrs.map(hexOf) }),
    pageOrder: order,
    parts: parts.map((part) => {
      const digest = contentDigest(part);
      const { name, startGpa, lengthBytes, treatment } = part;
      return { name, startGpa: hex(startGpa), lengthBytes, treatment, ...(digest && { sha384: hexOf(digest) }) };
    }),
    ...(events && {
      events: events.map(({ rtmr, type, digest, data }) => ({
        register: registerName(rtmr),
        type: eventTypeName(type),
        digest: hexOf(digest),
        text: eventText(data),
      })),
    }),
    ...(firmwareEvents && {
      firmwareEvents: firmwareEvents.map(({ rtmr, type, name, digests, decidedBy }) => ({
        register: registerName(rtmr),
        type: eventTypeName(type),
        name,
        ...(decidedBy === undefined ? {} : { decidedBy }),
        digests: digests.map(({ digest, text }) => ({ digest: hexOf(digest), ...(text === '' ? {} : { text }) })),
      })),
    }),
  };
}

/** Digits of a digest that tell it from others at a glance. */
const SHORT_DIGITS = 16;
const NAME_WIDTH = 15;

function tableOf(measurements: Measurements): string {
  const { parts, mrtd, events, firmwareEvents, rtmrs } = measurements;
  const short = (digest: Uint8Array | undefined) =>
    digest === undefined ? 'zeros' : hexOf(digest).slice(0, SHORT_DIGITS);
  const lines = ['Pages                                       In MRTD              SHA-384 of the content'];
  for (const part of parts) {
    const { startGpa, lengthBytes, treatment, name } = part;
    const range = `${hex(startGpa, 9)}-${hex(startGpa + lengthBytes, 9)}`;
    const words = { measured: 'address, content', added: 'address', accepted: 'nothing' }[treatment];
    const digest = treatment === 'accepted' ? '' : short(contentDigest(part));
    lines.push(`  ${range}  ${name.padEnd(NAME_WIDTH)}  ${words.padEnd(19)}  ${digest}`.trimEnd());
  }
  if (events !== undefined) {
    lines.push('', 'Register  Event                     SHA-384           Data');
    for (const { rtmr, type, digest, data } of events)
      lines.push(
        `  ${registerName(rtmr).padEnd(8)}${eventTypeName(type).padEnd(26)}${short(digest)}  ${eventText(data)}`,
      );
  }
  if (firmwareEvents !== undefined) lines.push('', ...firmwareTable(firmwareEvents, short));
  lines.push('', `MRTD   ${hexOf(mrtd)}`);
  for (const [index, rtmr] of (rtmrs ?? []).entries()) lines.push(`RTMR${index}  ${hexOf(rtmr)}`);
  return lines.join('\n');
}

/** Firmware extends RTMRs while it runs: a row for each digest that the image tells, and for each event that it leaves to others. */
function firmwareTable(
  events: readonly FirmwareEvent[],
  short: (digest: Uint8Array | undefined) => string,
): readonly string[] {
  const row = (rtmr: number, type: number, digest: string, text: string) =>
    `  ${registerName(rtmr).padEnd(8)}${eventTypeName(type).padEnd(33)}${digest.padEnd(SHORT_DIGITS)}  ${text}`;
  return [
    'Register  Event                            SHA-384           What the firmware will measure',
    ...events.flatMap(({ rtmr, type, name, digests, decidedBy }) =>
      digests.length === 0
        ? [row(rtmr, type, '?', `${name}: ${decidedBy} decides`)]
        : digests.map(({ digest, text }) => row(rtmr, type, short(digest), text === '' ? name : `${name}, ${text}`)),
    ),
  ];
}
