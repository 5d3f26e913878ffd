/** Bytes in, plan out. */
export { type AcpiTables, type BoardAddresses, buildAcpiTables, MAXIMUM_VCPUS } from './acpi/index.ts';
export { type BareTd, planBareTd } from './bare.ts';
export { type CpioEntry, writeCpio } from './cpio.ts';
export {
  type ElfFile,
  type ElfRelocation,
  type ElfSection,
  type ElfSegment,
  type ElfSymbol,
  ElfType,
  elfSymbols,
  isElf,
  parseElf,
  parseElfProgram,
} from './elf.ts';
export { EventType, encodeEventLog, eventTypeName, type MeasuredEvent, parseEventLog } from './event-log.ts';
export { type FirmwareEvent, firmwareEvents, type PossibleDigest } from './firmware-events.ts';
export type { KernelImage } from './kernel-image.ts';
export { endOf, type LinkedObject, type LinkOptions, linkObject } from './link.ts';
export { type LinuxBoot, type NamedFile, planLinuxBoot } from './linux-direct.ts';
export { loadKernelImage } from './load-kernel.ts';
export { mergeIntoPages, PAGE_BYTES, type Piece, pageCeiling, pageFloor, type Range, subtract } from './pages.ts';
export {
  inOrderOfAddition,
  LoadError,
  type LoadPlan,
  type MemoryMapRow,
  MemoryType,
  type PlanRegion,
  regionBytes,
  type Treatment,
} from './plan.ts';
export {
  fillShimRom,
  type RtmrExtension,
  SHIM_EXTENSION_BYTES,
  SHIM_ROM_BYTES,
  SHIM_ROM_GPA,
  ShimParameter,
  type ShimParameters,
  type ShimRom,
} from './shim-rom.ts';
export { tdHob } from './td-hob.ts';
export { readTdvfSections, type TdvfSection, TdvfSectionType } from './tdvf.ts';
