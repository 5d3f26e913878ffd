/** boot_params, the page a kernel is entered with (Linux Documentation, "The zero page" and "The Linux/x86 Boot Protocol"). */
import type { MemoryMapRow } from './plan.ts';
import { LoadFlag, SETUP_HEADER_START, SetupHeader } from './setup-header.ts';

const PAGE_BYTES = 4096;

const ZeroPage = {
  acpiRsdp: 0x070,
  ramdiskImageHigh: 0x0c0,
  ramdiskSizeHigh: 0x0c4,
  commandLinePointerHigh: 0x0c8,
  memoryMapEntries: 0x1e8,
  memoryMap: 0x2d0,
} as const;

const MEMORY_MAP_ROW_BYTES = 20;
/** "undefined": a loader without an assigned number */
const TYPE_OF_LOADER = 0xff;

export interface BootParams {
  readonly setupHeader: Uint8Array;
  readonly commandLineGpa: number;
  readonly initrd: { readonly startGpa: number; readonly lengthBytes: number } | undefined;
  readonly rsdpGpa: number;
  readonly memoryMap: readonly MemoryMapRow[];
}

export function buildBootParams(parameters: BootParams): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  const view = new DataView(page.buffer);
  page.set(parameters.setupHeader, SETUP_HEADER_START);
  page[SetupHeader.typeOfLoader] = TYPE_OF_LOADER;
  page[SetupHeader.loadFlags] = (page[SetupHeader.loadFlags]! | LoadFlag.LoadedHigh) & ~LoadFlag.CanUseHeap;
  const put = (offset: number, offsetHigh: number, value: number) => {
    view.setUint32(offset, value % 2 ** 32, true);
    view.setUint32(offsetHigh, Math.floor(value / 2 ** 32), true);
  };
  put(SetupHeader.ramdiskImage, ZeroPage.ramdiskImageHigh, parameters.initrd?.startGpa ?? 0);
  put(SetupHeader.ramdiskSize, ZeroPage.ramdiskSizeHigh, parameters.initrd?.lengthBytes ?? 0);
  put(SetupHeader.commandLinePointer, ZeroPage.commandLinePointerHigh, parameters.commandLineGpa);
  view.setBigUint64(ZeroPage.acpiRsdp, BigInt(parameters.rsdpGpa), true);
  page[ZeroPage.memoryMapEntries] = parameters.memoryMap.length;
  parameters.memoryMap.forEach((row, index) => {
    const at = ZeroPage.memoryMap + MEMORY_MAP_ROW_BYTES * index;
    view.setBigUint64(at, BigInt(row.startGpa), true);
    view.setBigUint64(at + 8, BigInt(row.lengthBytes), true);
    view.setUint32(at + 16, row.type, true);
  });
  return page;
}
