/**
 * The TD HOB: what the host tells firmware about memory, as the bytes that firmware measures. Source: UEFI PI 1.7, vol. 3, "HOB Code
 * Definitions"; laid out as QEMU's hw/i386/tdvf-hob.c does, learned from dstack-mr's tdvf.rs.
 */
import { type TdvfSection, TdvfSectionType } from './tdvf.ts';

const HobType = { HANDOFF: 1, RESOURCE_DESCRIPTOR: 3 } as const;
const HANDOFF_BYTES = 56;
const HANDOFF_VERSION = 9;
const RESOURCE_BYTES = 48;
const END_BYTES = 8;
const ResourceType = { SYSTEM_MEMORY: 0, MEMORY_UNACCEPTED: 7 } as const;
/** present, initialised, tested */
const RESOURCE_ATTRIBUTES = 7;

const GIB4 = 0x1_0000_0000;
/** From this much on, QEMU's q35 has 2 GiB below its devices and the rest above 4 GiB. */
const SPLIT_FROM_BYTES = 0xb000_0000;
const LOW_WHEN_SPLIT_BYTES = 0x8000_0000;

interface Resource {
  readonly type: number;
  readonly startGpa: number;
  readonly endGpa: number;
}

/** The list without its end, which firmware does not measure; undefined: the firmware takes none. */
export function tdHob(sections: readonly TdvfSection[], memoryBytes: number): Uint8Array | undefined {
  const place = sections.find(({ type }) => type === TdvfSectionType.TD_HOB);
  if (place === undefined) return undefined;
  const resources = memoryResources(sections, memoryBytes);
  const bytes = new Uint8Array(HANDOFF_BYTES + resources.length * RESOURCE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, HobType.HANDOFF, true);
  view.setUint16(2, HANDOFF_BYTES, true);
  view.setUint32(8, HANDOFF_VERSION, true);
  view.setBigUint64(48, BigInt(place.startGpa + bytes.length + END_BYTES), true);
  resources.forEach(({ type, startGpa, endGpa }, index) => {
    const at = HANDOFF_BYTES + index * RESOURCE_BYTES;
    view.setUint16(at, HobType.RESOURCE_DESCRIPTOR, true);
    view.setUint16(at + 2, RESOURCE_BYTES, true);
    view.setUint32(at + 24, type, true);
    view.setUint32(at + 28, RESOURCE_ATTRIBUTES, true);
    view.setBigUint64(at + 32, BigInt(startGpa), true);
    view.setBigUint64(at + 40, BigInt(endGpa - startGpa), true);
  });
  return bytes;
}

/** RAM in order of address: what the host has added already, section by section, and what is to be accepted. */
function memoryResources(sections: readonly TdvfSection[], memoryBytes: number): Resource[] {
  const isSplit = memoryBytes >= SPLIT_FROM_BYTES;
  const ram = isSplit
    ? [
        { startGpa: 0, endGpa: LOW_WHEN_SPLIT_BYTES },
        { startGpa: GIB4, endGpa: GIB4 + memoryBytes - LOW_WHEN_SPLIT_BYTES },
      ]
    : [{ startGpa: 0, endGpa: memoryBytes }];
  const added = sections
    .filter(({ type }) => type === TdvfSectionType.TD_HOB || type === TdvfSectionType.TEMP_MEM)
    .map(({ startGpa, lengthBytes }) => ({ startGpa, endGpa: startGpa + lengthBytes }))
    .sort((a, b) => a.startGpa - b.startGpa);
  return ram.flatMap(({ startGpa, endGpa }) => {
    const resources: Resource[] = [];
    let next = startGpa;
    const unaccepted = (until: number) => {
      if (until > next) resources.push({ type: ResourceType.MEMORY_UNACCEPTED, startGpa: next, endGpa: until });
    };
    for (const section of added.filter((each) => each.startGpa >= startGpa && each.endGpa <= endGpa)) {
      unaccepted(section.startGpa);
      resources.push({ type: ResourceType.SYSTEM_MEMORY, ...section });
      next = section.endGpa;
    }
    unaccepted(endGpa);
    return resources;
  });
}
