/** Offsets inside the first page of a kernel image and of boot_params (Linux Documentation, "The Linux/x86 Boot Protocol", "Details of Header Fields"). */

export const SetupHeader = {
  setupSectors: 0x1f1,
  systemSizeParagraphs: 0x1f4,
  bootFlag: 0x1fe,
  jump: 0x200,
  magic: 0x202,
  version: 0x206,
  typeOfLoader: 0x210,
  loadFlags: 0x211,
  ramdiskImage: 0x218,
  ramdiskSize: 0x21c,
  commandLinePointer: 0x228,
  initrdAddressMaximum: 0x22c,
  kernelAlignment: 0x230,
  relocatable: 0x234,
  extendedLoadFlags: 0x236,
  commandLineSize: 0x238,
  payloadOffset: 0x248,
  payloadLength: 0x24c,
  preferredAddress: 0x258,
  initSize: 0x260,
} as const;

export const SETUP_HEADER_START = SetupHeader.setupSectors;
/** "HdrS" */
export const SETUP_MAGIC = 0x53726448;
export const BOOT_FLAG = 0xaa55;
/** the first version with `xloadflags`, hence with a 64-bit entry one can rely on */
export const OLDEST_VERSION = 0x020c;

export const LoadFlag = { LoadedHigh: 0x01, CanUseHeap: 0x80 } as const;
export const ExtendedLoadFlag = { Kernel64: 0x01 } as const;
