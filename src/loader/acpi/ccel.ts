/** Confidential Computing Event Log table (ACPI 6.5, section 5.2.34). */
import { acpiTable } from './table.ts';

/** where the log lies, and how much room it has */
export interface EventLogArea {
  readonly startGpa: number;
  readonly lengthBytes: number;
}

const CC_TYPE_TDX = 2;
const BODY_BYTES = 20;

export function ccel({ startGpa, lengthBytes }: EventLogArea): Uint8Array {
  const body = new Uint8Array(BODY_BYTES);
  const view = new DataView(body.buffer);
  body[0] = CC_TYPE_TDX;
  view.setBigUint64(4, BigInt(lengthBytes), true);
  view.setBigUint64(12, BigInt(startGpa), true);
  return acpiTable('CCEL', 1, body);
}
