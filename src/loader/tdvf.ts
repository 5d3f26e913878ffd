/**
 * Firmware for TDs: where its metadata is, and what they say. Source: Intel TDX Virtual Firmware Design Guide, "TDVF Metadata"; EDK2
 * OvmfPkg/ResetVector/X64/IntelTdxMetadata.nasm; the checks are those of QEMU's hw/i386/tdvf.c.
 */
import { hex } from '../bits/index.ts';
import { guidAt } from './guid.ts';
import { PAGE_BYTES } from './pages.ts';
import { LoadError } from './plan.ts';

export const TdvfSectionType = {
  BFV: 0,
  CFV: 1,
  TD_HOB: 2,
  TEMP_MEM: 3,
  PERM_MEM: 4,
  PAYLOAD: 5,
  PAYLOAD_PARAM: 6,
  TD_INFO: 7,
  TD_PARAMS: 8,
} as const;
const TYPE_NAMES = ['BFV', 'CFV', 'TD_HOB', 'TempMem', 'PermMem', 'Payload', 'PayloadParam', 'TdInfo', 'TdParams'];

export interface TdvfSection {
  readonly type: number;
  /** "BFV" */
  readonly name: string;
  readonly startGpa: number;
  readonly lengthBytes: number;
  /** bytes of the file; the rest of the section is zeros */
  readonly content: Uint8Array;
  /** TDH.MR.EXTEND over it */
  readonly isMeasured: boolean;
  /** TDH.MEM.PAGE.ADD; otherwise the guest accepts it later */
  readonly isAdded: boolean;
}

const Attribute = { EXTEND_MR: 1, PAGE_AUG: 2 } as const;
const DESCRIPTOR_BYTES = 16;
const SECTION_BYTES = 32;
const SIGNATURE = 0x4656_4454; // "TDVF"
const VERSION = 1;

/** Sections in the order of the metadata, which is the order in which they are added. @throws LoadError */
export function readTdvfSections(image: Uint8Array, name: string): TdvfSection[] {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const at = descriptorOffset(image, view);
  if (at === undefined) throw new LoadError(`${name} holds no TDVF metadata: it is no firmware for TDs`);
  const count = view.getUint32(at + 12, true);
  if (at + DESCRIPTOR_BYTES + count * SECTION_BYTES > image.length)
    throw new LoadError(`the TDVF metadata of ${name} run past the end of the file: the file is damaged`);
  return Array.from({ length: count }, (_, index) =>
    readSection(image, view, at + DESCRIPTOR_BYTES + index * SECTION_BYTES, `section ${index} of ${name}`),
  );
}

function readSection(image: Uint8Array, view: DataView, at: number, what: string): TdvfSection {
  const dataOffset = view.getUint32(at, true);
  const dataBytes = view.getUint32(at + 4, true);
  const startGpa = Number(view.getBigUint64(at + 8, true));
  const lengthBytes = Number(view.getBigUint64(at + 16, true));
  const type = view.getUint32(at + 24, true);
  const attributes = view.getUint32(at + 28, true);
  const hasData = type === TdvfSectionType.BFV || type === TdvfSectionType.CFV;
  const isEmpty = type === TdvfSectionType.TD_HOB || type === TdvfSectionType.TEMP_MEM;
  if (startGpa % PAGE_BYTES !== 0 || lengthBytes % PAGE_BYTES !== 0)
    throw new LoadError(`${what} is not made of 4 KiB pages: ${lengthBytes} bytes at ${hex(startGpa)}`);
  if (lengthBytes < dataBytes) throw new LoadError(`${what} holds more data than memory: ${dataBytes} bytes`);
  if ((hasData && dataBytes === 0) || (isEmpty && dataBytes !== 0))
    throw new LoadError(`${what}, a ${TYPE_NAMES[type]}, has ${dataBytes} bytes of data`);
  if (dataBytes > 0 && dataOffset + dataBytes > image.length)
    throw new LoadError(
      `${what} wants ${hex(dataBytes)} bytes at offset ${hex(dataOffset)}, the file has ${hex(image.length)}: give the whole image, variable store and code in one file`,
    );
  return {
    type,
    name: TYPE_NAMES[type] ?? `type ${type}`,
    startGpa,
    lengthBytes,
    content: image.subarray(dataOffset, dataOffset + dataBytes),
    isMeasured: (attributes & Attribute.EXTEND_MR) !== 0,
    isAdded: (attributes & Attribute.PAGE_AUG) === 0,
  };
}

/** EDK2's table of GUIDs ends this far from the end of the image, with its own GUID. */
const TABLE_END = 0x20;
const TABLE_GUID = '96b582de-1fb2-45f7-baea-a366c55a082d';
const METADATA_OFFSET_GUID = 'e47a6535-984a-4798-865e-4685a7bf8ec2';
const GUID_BYTES = 16;
/** length and GUID, behind the data of an entry */
const ENTRY_TAIL_BYTES = 2 + GUID_BYTES;

/** By the GUID table, or as early firmware and td-shim have it: by a number 32 bytes before the end. */
function descriptorOffset(image: Uint8Array, view: DataView): number | undefined {
  if (image.length < TABLE_END + ENTRY_TAIL_BYTES) return undefined;
  const fromTable = offsetInGuidTable(image, view);
  const candidates = [
    ...(fromTable === undefined ? [] : [image.length - fromTable]),
    view.getUint32(image.length - TABLE_END, true),
  ];
  return candidates.find(
    (at) =>
      at >= 0 &&
      at + DESCRIPTOR_BYTES <= image.length &&
      view.getUint32(at, true) === SIGNATURE &&
      view.getUint32(at + 8, true) === VERSION,
  );
}

function offsetInGuidTable(image: Uint8Array, view: DataView): number | undefined {
  const end = image.length - TABLE_END;
  if (guidAt(image, end - GUID_BYTES) !== TABLE_GUID) return undefined;
  const tableBytes = view.getUint16(end - ENTRY_TAIL_BYTES, true);
  const start = end - tableBytes;
  if (start < 0) return undefined;
  for (let tail = end - ENTRY_TAIL_BYTES; tail - ENTRY_TAIL_BYTES >= start; ) {
    const guid = guidAt(image, tail - GUID_BYTES);
    const entryBytes = view.getUint16(tail - ENTRY_TAIL_BYTES, true);
    if (entryBytes < ENTRY_TAIL_BYTES || tail - entryBytes < start) return undefined;
    if (guid === METADATA_OFFSET_GUID && entryBytes >= ENTRY_TAIL_BYTES + 4)
      return view.getUint32(tail - entryBytes, true);
    tail -= entryBytes;
  }
  return undefined;
}
