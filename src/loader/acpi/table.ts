/** The frame every ACPI table shares (ACPI 6.5, section 5.2.6 "System Description Table Header"). */

export const HEADER_BYTES = 36;
const CHECKSUM_OFFSET = 9;
export const OEM_ID = 'SEAMUL';
const OEM_TABLE_ID = 'SEAMULAT';
const CREATOR_ID = 'SEAM';

/** A table with its header and checksum around `body`. */
export function acpiTable(signature: string, revision: number, body: Uint8Array): Uint8Array {
  const table = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(table.buffer);
  putText(table, 0, signature);
  view.setUint32(4, table.length, true);
  table[8] = revision;
  putText(table, 10, OEM_ID);
  putText(table, 16, OEM_TABLE_ID);
  view.setUint32(24, 1, true);
  putText(table, 28, CREATOR_ID);
  view.setUint32(32, 1, true);
  table.set(body, HEADER_BYTES);
  table[CHECKSUM_OFFSET] = checksum(table);
  return table;
}

/** The byte that makes the sum of all bytes zero, given that its own place holds zero. */
export function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}

export function putText(bytes: Uint8Array, offset: number, text: string): void {
  bytes.set(new TextEncoder().encode(text), offset);
}
