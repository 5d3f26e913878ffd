/** All ACPI tables of the board as one block of bytes: RSDP, DSDT, FADT, MADT, CCEL, XSDT. */
import type { BoardAddresses } from './board-addresses.ts';
import { ccel, type EventLogArea } from './ccel.ts';
import { dsdt } from './dsdt.ts';
import { fadt } from './fadt.ts';
import { madt, type WakeupAddresses } from './madt.ts';
import { acpiTable, checksum, OEM_ID, putText } from './table.ts';

export type { BoardAddresses } from './board-addresses.ts';
export { MAXIMUM_VCPUS } from './madt.ts';

export interface AcpiTables {
  readonly rsdpGpa: number;
  /** to be placed at the address the tables were built for */
  readonly bytes: Uint8Array;
}

const RSDP_BYTES = 36;
const ALIGNMENT = 64;

/** @param startGpa where the block will lie; the RSDP is its first bytes */
export function buildAcpiTables(
  board: BoardAddresses,
  vcpus: number,
  startGpa: number,
  wakeup: WakeupAddresses,
  eventLog?: EventLogArea,
): AcpiTables {
  const placed: { gpa: number; table: Uint8Array }[] = [];
  let next = startGpa + align(RSDP_BYTES);
  const place = (table: Uint8Array): number => {
    const gpa = next;
    placed.push({ gpa, table });
    next += align(table.length);
    return gpa;
  };
  const fadtGpa = place(fadt(board, place(dsdt(board))));
  const madtGpa = place(madt(board, vcpus, wakeup));
  const ccelGpas = eventLog === undefined ? [] : [place(ccel(eventLog))];
  const xsdtGpa = place(xsdt([fadtGpa, madtGpa, ...ccelGpas]));
  placed.push({ gpa: startGpa, table: rsdp(xsdtGpa) });

  const bytes = new Uint8Array(next - startGpa);
  for (const { gpa, table } of placed) bytes.set(table, gpa - startGpa);
  return { rsdpGpa: startGpa, bytes };
}

function align(bytes: number): number {
  return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
}

/** Extended System Description Table (ACPI 6.5, section 5.2.8). */
function xsdt(tables: readonly number[]): Uint8Array {
  const body = new Uint8Array(8 * tables.length);
  const view = new DataView(body.buffer);
  tables.forEach((gpa, index) => {
    view.setBigUint64(8 * index, BigInt(gpa), true);
  });
  return acpiTable('XSDT', 1, body);
}

/** Root System Description Pointer, revision 2: two checksums (ACPI 6.5, section 5.2.5.3). */
function rsdp(xsdtGpa: number): Uint8Array {
  const bytes = new Uint8Array(RSDP_BYTES);
  const view = new DataView(bytes.buffer);
  putText(bytes, 0, 'RSD PTR ');
  putText(bytes, 9, OEM_ID);
  bytes[15] = 2;
  view.setUint32(20, RSDP_BYTES, true);
  view.setBigUint64(24, BigInt(xsdtGpa), true);
  bytes[8] = checksum(bytes.subarray(0, 20));
  bytes[32] = checksum(bytes);
  return bytes;
}
