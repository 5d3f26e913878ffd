/** bzImage: a kernel that unpacks itself, entered at its 64-bit entry point. */
import { type Bytes, hex, partOf, readBytes } from '../bits/index.ts';
import type { KernelImage } from './kernel-image.ts';
import { LoadError } from './plan.ts';
import { ExtendedLoadFlag, OLDEST_VERSION, SETUP_HEADER_START, SETUP_MAGIC, SetupHeader } from './setup-header.ts';
import { mentionsTdx } from './tdx-support.ts';

const SECTOR_BYTES = 512;
/** of the 64-bit entry point from the start of the protected-mode part */
const ENTRY64_OFFSET = 0x200;
/** The setup header ends before: its length is a byte, from behind the jump ("The Real-Mode Kernel Header"). */
const MOST_HEADER_BYTES = SetupHeader.magic + 0x100;

/** @throws LoadError */
export function loadBzImage(bytes: Bytes, name: string): KernelImage {
  const header = readBytes(bytes, 0, MOST_HEADER_BYTES).slice();
  const view = new DataView(header.buffer);
  if (bytes.length < SetupHeader.initSize + 4)
    throw new LoadError(`${name} is not a Linux kernel: ${bytes.length} bytes are less than a kernel's header`);
  if (view.getUint32(SetupHeader.magic, true) !== SETUP_MAGIC)
    throw new LoadError(
      `${name} is not a Linux kernel: no "HdrS" at offset 0x202 and no ELF magic; give a bzImage or a vmlinux`,
    );
  const version = view.getUint16(SetupHeader.version, true);
  if (version < OLDEST_VERSION)
    throw new LoadError(
      `${name} speaks boot protocol ${version >> 8}.${version & 255}, too old for a TD: give a kernel of Linux 3.8 or later`,
    );
  if ((view.getUint16(SetupHeader.extendedLoadFlags, true) & ExtendedLoadFlag.Kernel64) === 0)
    throw new LoadError(
      `${name} has no 64-bit entry point: a TD cannot run a 32-bit kernel, give one built for x86-64`,
    );

  const protectedModeStart = ((header[SetupHeader.setupSectors] || 4) + 1) * SECTOR_BYTES;
  const systemBytes = view.getUint32(SetupHeader.systemSizeParagraphs, true) * 16;
  if (systemBytes === 0 || protectedModeStart + systemBytes > bytes.length)
    throw new LoadError(
      `${name} is truncated: its header announces ${protectedModeStart + systemBytes} bytes, the file has ${bytes.length}; fetch it again`,
    );
  const loadGpa = Number(view.getBigUint64(SetupHeader.preferredAddress, true));
  const initSizeBytes = view.getUint32(SetupHeader.initSize, true);
  if (loadGpa % 4096 !== 0 || loadGpa < 0x10_0000 || initSizeBytes < systemBytes)
    throw new LoadError(
      `${name} has a damaged header: preferred address ${hex(loadGpa)}, working size ${hex(initSizeBytes)}; fetch it again`,
    );
  const headerEnd = SetupHeader.magic + header[SetupHeader.jump + 1]!;
  const content = partOf(bytes, protectedModeStart, protectedModeStart + systemBytes);
  // the decompressor lies around the payload, which is long and compressed
  const payloadStart = view.getUint32(SetupHeader.payloadOffset, true);
  const payloadEnd = payloadStart + view.getUint32(SetupHeader.payloadLength, true);
  const parts = [partOf(content, 0, payloadStart), partOf(content, payloadEnd, systemBytes)];
  return {
    format: 'bzImage',
    pieces: [{ startGpa: loadGpa, content }],
    windowStart: loadGpa,
    windowEnd: loadGpa + initSizeBytes,
    entryGpa: loadGpa + ENTRY64_OFFSET,
    setupHeader: header.slice(SETUP_HEADER_START, headerEnd),
    commandLineMaximum: view.getUint32(SetupHeader.commandLineSize, true),
    initrdMaximum: view.getUint32(SetupHeader.initrdAddressMaximum, true),
    knowsTdx: parts.some(mentionsTdx),
  };
}
