/**
 * Direct boot of a Linux kernel: shim, tables, command line, kernel and initramfs are added and measured by the host,
 * all other RAM is left pending for the shim to accept.
 */
import { type Bytes, hex, invariant } from '../bits/index.ts';
import { beginSha384 } from '../digest/index.ts';
import { type BoardAddresses, buildAcpiTables, MAXIMUM_VCPUS } from './acpi/index.ts';
import { bootEvents } from './boot-events.ts';
import { buildBootParams } from './boot-params.ts';
import { encodeEventLog } from './event-log.ts';
import { checkInitramfs } from './initramfs.ts';
import type { KernelImage } from './kernel-image.ts';
import { loadKernelImage } from './load-kernel.ts';
import { PAGE_BYTES, pageCeiling, type Range, subtract } from './pages.ts';
import { LoadError, type LoadPlan, type MemoryMapRow, MemoryType, type PlanRegion } from './plan.ts';
import { fillShimRom, SHIM_ROM_BYTES, SHIM_ROM_GPA, type ShimRom } from './shim-rom.ts';

const MIB = 0x10_0000;

/** Where things lie below 1 MiB. The kernel itself takes the pages just under `acpi` for its real-mode trampoline. */
const Low = {
  bootParams: 0x1_0000,
  commandLine: 0x2_0000,
  acpi: 0x8_0000,
  eventLog: 0x8_8000,
  mailbox: 0x8_f000,
  end: 0x9_0000,
} as const;

const EVENT_LOG_BYTES = 0x4000;

/** Linux reads these through private mappings whatever the memory map says, looking for firmware tables of old. */
const LEGACY_SCANS: readonly Range[] = [
  { startGpa: Low.end, endGpa: 0xa_0000 },
  { startGpa: 0xc_0000, endGpa: MIB },
];

/** The initramfs starts on a large page, so that what is left beside it can be accepted in large pages. */
const INITRD_ALIGNMENT = 0x20_0000;

export interface NamedFile<Content extends Bytes = Uint8Array> {
  readonly name: string;
  readonly bytes: Content;
}

export interface LinuxBoot {
  /** a bzImage or a vmlinux */
  readonly kernel: NamedFile<Bytes>;
  readonly initrd?: NamedFile;
  readonly commandLine: string;
  /** RAM, a multiple of 1 MiB */
  readonly memoryBytes: number;
  readonly vcpus: number;
  readonly board: BoardAddresses;
  readonly shim: ShimRom;
}

/** @throws LoadError, one sentence that names the input and what to do */
export function planLinuxBoot(boot: LinuxBoot): LoadPlan {
  checkMachine(boot);
  const kernelDigest = beginSha384(boot.kernel.bytes); // what takes longest begins first
  const image = loadKernelImage(boot.kernel.bytes, boot.kernel.name);
  if (image.windowEnd > boot.memoryBytes)
    throw new LoadError(
      `${boot.kernel.name} needs memory up to ${mib(image.windowEnd)}, the TD has ${mib(boot.memoryBytes)}: give it more memory`,
    );
  const commandLine = encodeCommandLine(boot.commandLine, image.commandLineMaximum);
  const eventLogArea = { startGpa: Low.eventLog, lengthBytes: EVENT_LOG_BYTES };
  const initrdGpa = boot.initrd && placeInitrd(boot.initrd, image, boot.memoryBytes);
  const wakeup = { mailboxGpa: Low.mailbox, switchedOffGpa: boot.shim.switchedOffGpa };
  const acpi = buildAcpiTables(boot.board, boot.vcpus, Low.acpi, wakeup, eventLogArea);
  invariant(acpi.bytes.length <= Low.eventLog - Low.acpi, `${acpi.bytes.length} bytes of ACPI tables`);
  const memoryMap = linuxMemoryMap(boot.memoryBytes);
  const bootParams = buildBootParams({
    setupHeader: image.setupHeader,
    commandLineGpa: Low.commandLine,
    initrd: boot.initrd && { startGpa: initrdGpa!, lengthBytes: boot.initrd.bytes.length },
    rsdpGpa: acpi.rsdpGpa,
    memoryMap,
  });

  const events = bootEvents({
    acpiTables: acpi.bytes,
    kernelDigest,
    commandLine: commandLine.subarray(0, commandLine.indexOf(0)),
    initrd: boot.initrd?.bytes,
  });

  const added: PlanRegion[] = [
    measured('boot_params', Low.bootParams, bootParams),
    measured('command line', Low.commandLine, commandLine),
    measured('ACPI tables', Low.acpi, acpi.bytes),
    measuredLate('event log', Low.eventLog, EVENT_LOG_BYTES, () => encodeEventLog(events, EVENT_LOG_BYTES)),
    { ...measured('wakeup mailbox', Low.mailbox, new Uint8Array(PAGE_BYTES)), content: 'zero' },
    ...image.pieces.map((piece) => measured('kernel', piece.startGpa, piece.content)),
    ...(boot.initrd ? [measured('initramfs', initrdGpa!, boot.initrd.bytes)] : []),
  ];
  const pending = [{ startGpa: 0, endGpa: Low.end }, ...LEGACY_SCANS, { startGpa: MIB, endGpa: boot.memoryBytes }]
    .flatMap((range) => subtract(range, added.map(rangeOf)))
    .map((range) => ({ ...range, name: 'RAM' }));
  const rom = () =>
    fillShimRom(boot.shim, {
      entryGpa: image.entryGpa,
      bootParamsGpa: Low.bootParams,
      mailboxGpa: Low.mailbox,
      accept: pending,
      extend: events,
    });
  return {
    regions: [
      ...added,
      ...pending.map(
        ({ name, startGpa, endGpa }): PlanRegion => ({
          name,
          startGpa,
          lengthBytes: endGpa - startGpa,
          content: 'zero',
          treatment: 'pending',
        }),
      ),
      measuredLate('shim', SHIM_ROM_GPA, SHIM_ROM_BYTES, rom),
    ].sort((a, b) => a.startGpa - b.startGpa),
    memoryMap,
    vcpus: boot.vcpus,
    initialRcx: 0,
    events,
    warnings: image.knowsTdx
      ? []
      : [
          `${boot.kernel.name} shows no sign of TDX guest support (CONFIG_INTEL_TDX_GUEST): it will probably stop early`,
        ],
  };
}

function checkMachine({ memoryBytes, vcpus, board }: LinuxBoot): void {
  if (!Number.isSafeInteger(memoryBytes) || memoryBytes <= 0 || memoryBytes % MIB !== 0)
    throw new LoadError(`a memory size of ${memoryBytes} bytes does not work: give a whole number of MiB`);
  if (memoryBytes > board.ramCeiling)
    throw new LoadError(
      `${mib(memoryBytes)} of memory do not fit below this board's devices at ${hex(board.ramCeiling)}: give at most ${mib(board.ramCeiling)}`,
    );
  if (!Number.isInteger(vcpus) || vcpus < 1 || vcpus > MAXIMUM_VCPUS)
    throw new LoadError(`${vcpus} vCPUs do not work: give 1 to ${MAXIMUM_VCPUS}`);
}

/** The terminating zero, and as many zeros behind it as the kernel copies without looking. */
function encodeCommandLine(commandLine: string, maximum: number): Uint8Array {
  const bytes = new TextEncoder().encode(commandLine);
  if (bytes.length > Math.min(maximum, PAGE_BYTES - 1))
    throw new LoadError(`the command line has ${bytes.length} bytes, this kernel takes ${maximum}: shorten it`);
  if (bytes.includes(0))
    throw new LoadError('the command line holds a zero byte, where the kernel would cut it: remove it');
  const page = new Uint8Array(PAGE_BYTES);
  page.set(bytes);
  return page;
}

/** As high as the kernel allows, above the memory it works in before it knows where the initramfs is. */
function placeInitrd(initrd: NamedFile, image: KernelImage, memoryBytes: number): number {
  checkInitramfs(initrd.bytes, initrd.name);
  const ceiling = Math.min(memoryBytes, image.initrdMaximum + 1);
  const highest = ceiling - pageCeiling(initrd.bytes.length);
  const startGpa = highest - (highest % INITRD_ALIGNMENT);
  if (startGpa < image.windowEnd) {
    const needed = image.windowEnd + pageCeiling(initrd.bytes.length) + INITRD_ALIGNMENT;
    throw new LoadError(
      needed > image.initrdMaximum + 1
        ? `${initrd.name} (${mib(initrd.bytes.length)}) is too large for this kernel, which looks for it below ${hex(image.initrdMaximum + 1)}: make it smaller`
        : `${initrd.name} (${mib(initrd.bytes.length)}) does not fit beside the kernel in ${mib(memoryBytes)}: give the TD at least ${mib(needed)}`,
    );
  }
  return startGpa;
}

function linuxMemoryMap(memoryBytes: number): MemoryMapRow[] {
  return [
    { startGpa: 0, lengthBytes: Low.acpi, type: MemoryType.Ram },
    { startGpa: Low.acpi, lengthBytes: Low.mailbox - Low.acpi, type: MemoryType.AcpiReclaimable },
    { startGpa: Low.mailbox, lengthBytes: Low.end - Low.mailbox, type: MemoryType.AcpiNonVolatile },
    { startGpa: MIB, lengthBytes: memoryBytes - MIB, type: MemoryType.Ram },
  ];
}

function measured(name: string, startGpa: number, content: Bytes): PlanRegion {
  return { name, startGpa, lengthBytes: pageCeiling(content.length), content, treatment: 'added-measured' };
}

/** What holds the digest of the kernel, which takes as long as all else here together. */
function measuredLate(name: string, startGpa: number, lengthBytes: number, content: () => Uint8Array): PlanRegion {
  return { name, startGpa, lengthBytes, content, treatment: 'added-measured' };
}

function rangeOf(region: PlanRegion): Range {
  return { startGpa: region.startGpa, endGpa: region.startGpa + region.lengthBytes };
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB`;
}
