/** vmlinux: the kernel proper as an ELF file, loaded where its segments say; it never unpacks or moves itself. */
import { type Bytes, hex } from '../bits/index.ts';
import { type ElfProgram, ElfType, parseElfProgram } from './elf.ts';
import type { KernelImage } from './kernel-image.ts';
import { mergeIntoPages } from './pages.ts';
import { LoadError } from './plan.ts';
import { BOOT_FLAG, LoadFlag, SETUP_HEADER_START, SETUP_MAGIC, SetupHeader } from './setup-header.ts';
import { mentionsTdx } from './tdx-support.ts';

const VERSION = 0x020f;
const COMMAND_LINE_MAXIMUM = 2047;
const INITRD_MAXIMUM = 0x7fff_ffff;
const KERNEL_ALIGNMENT = 0x20_0000;

/** @throws LoadError */
export function loadVmlinux(bytes: Bytes, name: string): KernelImage {
  const elf = parseElfProgram(bytes, name);
  if (elf.type !== ElfType.Executable || elf.segments.length === 0)
    throw new LoadError(`${name} is an ELF file without a program to load: give a vmlinux or a bzImage`);
  const outside = elf.segments.find(
    (segment) => segment.physicalAddress < 0x10_0000n || segment.physicalAddress >= 0x1_0000_0000n,
  );
  if (outside)
    throw new LoadError(
      `${name} is not a kernel: a segment wants physical address ${hex(outside.physicalAddress)}, outside 1 MiB to 4 GiB; give a vmlinux or a bzImage`,
    );
  const pieces = elf.segments.map((segment) => ({
    startGpa: Number(segment.physicalAddress),
    content: segment.content,
  }));
  return {
    format: 'vmlinux',
    pieces: mergeIntoPages(pieces.filter((piece) => piece.content.length > 0)),
    windowStart: Math.min(...pieces.map((piece) => piece.startGpa)),
    windowEnd: Math.max(...elf.segments.map((segment) => Number(segment.physicalAddress) + segment.memoryBytes)),
    entryGpa: physicalEntry(elf, name),
    setupHeader: synthesiseHeader(),
    commandLineMaximum: COMMAND_LINE_MAXIMUM,
    initrdMaximum: INITRD_MAXIMUM,
    knowsTdx: knowsTdx(elf, bytes),
  };
}

/** Where compilers put texts is looked through first: it is a tenth of a kernel. */
function knowsTdx({ sections }: ElfProgram<Bytes>, bytes: Bytes): boolean {
  const constants = sections.find(({ name }) => name === '.rodata');
  return (constants !== undefined && mentionsTdx(constants.content)) || mentionsTdx(bytes);
}

/** Kernels state their entry as a physical address; a virtual one is translated by the segment that holds it. */
function physicalEntry(elf: ElfProgram<Bytes>, name: string): number {
  for (const base of ['physicalAddress', 'virtualAddress'] as const)
    for (const segment of elf.segments) {
      const offset = elf.entry - segment[base];
      if (offset >= 0n && offset < BigInt(segment.memoryBytes)) return Number(segment.physicalAddress + offset);
    }
  throw new LoadError(
    `${name} is damaged: its entry point ${hex(elf.entry)} lies in none of its segments; build it again`,
  );
}

/** What a bzImage would have said of itself; the kernel refuses boot_params without it. */
function synthesiseHeader(): Uint8Array {
  const page = new Uint8Array(SetupHeader.initSize + 8);
  const view = new DataView(page.buffer);
  view.setUint16(SetupHeader.bootFlag, BOOT_FLAG, true);
  view.setUint32(SetupHeader.magic, SETUP_MAGIC, true);
  view.setUint16(SetupHeader.version, VERSION, true);
  view.setUint8(SetupHeader.loadFlags, LoadFlag.LoadedHigh);
  view.setUint32(SetupHeader.initrdAddressMaximum, INITRD_MAXIMUM, true);
  view.setUint32(SetupHeader.kernelAlignment, KERNEL_ALIGNMENT, true);
  view.setUint32(SetupHeader.commandLineSize, COMMAND_LINE_MAXIMUM, true);
  return page.subarray(SETUP_HEADER_START);
}
