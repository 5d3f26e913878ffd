/** Fixed ACPI Description Table of a hardware-reduced machine (ACPI 6.5, section 5.2.9 "Fixed ACPI Description Table (FADT)"). */
import type { BoardAddresses } from './board-addresses.ts';
import { acpiTable, HEADER_BYTES } from './table.ts';

const REVISION = 6;
const LENGTH_BYTES = 276;

/** Offsets from the start of the table. */
const Field = {
  dsdt: 40,
  bootArchitecture: 109,
  flags: 112,
  resetRegister: 116,
  resetValue: 128,
  minorRevision: 131,
  dsdt64: 140,
  sleepControl: 244,
  sleepStatus: 256,
} as const;

const Flag = {
  Wbinvd: 1 << 0,
  PowerButtonIsMethod: 1 << 4,
  SleepButtonIsMethod: 1 << 5,
  ResetRegister: 1 << 10,
  HardwareReduced: 1 << 20,
} as const;

/** No keyboard controller: its bit stays clear, so that nobody probes for one. */
const BootArchitecture = { NoVga: 1 << 2, NoAspm: 1 << 4, NoCmosRtc: 1 << 5 } as const;

export function fadt(board: BoardAddresses, dsdtGpa: number): Uint8Array {
  const table = new Uint8Array(LENGTH_BYTES);
  const view = new DataView(table.buffer);
  view.setUint32(Field.dsdt, dsdtGpa, true);
  view.setBigUint64(Field.dsdt64, BigInt(dsdtGpa), true);
  view.setUint16(
    Field.bootArchitecture,
    BootArchitecture.NoVga | BootArchitecture.NoAspm | BootArchitecture.NoCmosRtc,
    true,
  );
  view.setUint32(
    Field.flags,
    Flag.Wbinvd | Flag.PowerButtonIsMethod | Flag.SleepButtonIsMethod | Flag.ResetRegister | Flag.HardwareReduced,
    true,
  );
  putPortRegister(view, Field.resetRegister, board.power.resetPort);
  view.setUint8(Field.resetValue, board.power.resetValue);
  view.setUint8(Field.minorRevision, 0);
  putPortRegister(view, Field.sleepControl, board.power.sleepControlPort);
  putPortRegister(view, Field.sleepStatus, board.power.sleepStatusPort);
  return acpiTable('FACP', REVISION, table.subarray(HEADER_BYTES));
}

/** A one-byte I/O port as a Generic Address Structure (section 5.2.3.2). */
function putPortRegister(view: DataView, offset: number, port: number): void {
  const SYSTEM_IO = 1;
  const BYTE_ACCESS = 1;
  view.setUint8(offset, SYSTEM_IO);
  view.setUint8(offset + 1, 8);
  view.setUint8(offset + 3, BYTE_ACCESS);
  view.setBigUint64(offset + 4, BigInt(port), true);
}
