/** A firmware image of our own with TDVF metadata, and what they say. */

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly dataBytes: number;
  readonly startGpa: number;
  readonly lengthBytes: number;
  readonly attributes: number;
}

/** In the order of EDK2: code, variables, scratch memory, HOB list. */
export const SECTIONS: readonly Section[] = [
  { type: 0, offset: 0x2000, dataBytes: 0x2000, startGpa: 0xffff_e000, lengthBytes: 0x2000, attributes: 1 },
  { type: 1, offset: 0, dataBytes: 0x1800, startGpa: 0xffff_c000, lengthBytes: 0x2000, attributes: 0 },
  { type: 3, offset: 0, dataBytes: 0, startGpa: 0x80_b000, lengthBytes: 0x2000, attributes: 0 },
  { type: 2, offset: 0, dataBytes: 0, startGpa: 0x80_9000, lengthBytes: 0x1000, attributes: 0 },
  { type: 4, offset: 0, dataBytes: 0, startGpa: 0x10_0000, lengthBytes: 0x10_0000, attributes: 2 },
];
export const IMAGE_BYTES = 0x4000;

const METADATA = 0x3000;
const TABLE_GUID = 'de82b596b21ff745baeaa366c55a082d';
const METADATA_OFFSET_GUID = '35657ae44a989847865e4685a7bf8ec2';
const OTHER_GUID = '00112233445566778899aabbccddeeff';

/** Where the metadata are: in EDK2's table of GUIDs behind another entry, or in a number near the end. */
export function tdvfImage(place: 'table' | 'number' = 'table', sections: readonly Section[] = SECTIONS): Uint8Array {
  const image = Uint8Array.from({ length: IMAGE_BYTES }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
  const view = new DataView(image.buffer);
  image.set(Buffer.from('TDVF'), METADATA);
  view.setUint32(METADATA + 4, 16 + 32 * sections.length, true);
  view.setUint32(METADATA + 8, 1, true);
  view.setUint32(METADATA + 12, sections.length, true);
  sections.forEach((section, index) => {
    const at = METADATA + 16 + 32 * index;
    view.setUint32(at, section.offset, true);
    view.setUint32(at + 4, section.dataBytes, true);
    view.setBigUint64(at + 8, BigInt(section.startGpa), true);
    view.setBigUint64(at + 16, BigInt(section.lengthBytes), true);
    view.setUint32(at + 24, section.type, true);
    view.setUint32(at + 28, section.attributes, true);
  });
  if (place === 'number') view.setUint32(IMAGE_BYTES - 0x20, METADATA, true);
  else {
    let end = IMAGE_BYTES - 0x20;
    const put = (data: Uint8Array, lengthBytes: number, guid: string) => {
      image.set(Buffer.from(guid, 'hex'), end - 16);
      view.setUint16(end - 18, lengthBytes, true);
      image.set(data, end - 18 - data.length);
      end -= 18 + data.length;
    };
    put(new Uint8Array(), 18 + 22 + 24, TABLE_GUID);
    put(new Uint8Array(6), 24, OTHER_GUID);
    const offset = new DataView(new ArrayBuffer(4));
    offset.setUint32(0, IMAGE_BYTES - METADATA, true);
    put(new Uint8Array(offset.buffer), 22, METADATA_OFFSET_GUID);
  }
  return image;
}
