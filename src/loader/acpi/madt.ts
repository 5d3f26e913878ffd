/** Multiple APIC Description Table: processors, the IOAPIC, the wakeup mailbox (ACPI 6.5, section 5.2.12 "Multiple APIC Description Table (MADT)"). */
import type { BoardAddresses } from './board-addresses.ts';
import { acpiTable } from './table.ts';

const REVISION = 5;
/** Ids from 255 on would need x2APIC entries. */
export const MAXIMUM_VCPUS = 255;
/** Version 1 has the reset vector, without which Linux switches no processor off. Learned from edk2's TdxAcpiTable.c and Linux 6.12's madt_wakeup.c. */
const WAKEUP_VERSION = 1;
const WAKEUP_BYTES = 24;

/** Where further processors wait, and where those come that are switched off. */
export interface WakeupAddresses {
  readonly mailboxGpa: number;
  readonly switchedOffGpa: number;
}

export function madt(board: BoardAddresses, vcpus: number, wakeup: WakeupAddresses): Uint8Array {
  const parts = [
    header(board),
    ...Array.from({ length: vcpus }, (_, index) => localApic(index)),
    ioApic(board),
    ...(vcpus > 1 ? [multiprocessorWakeup(wakeup)] : []),
  ];
  return acpiTable('APIC', REVISION, Uint8Array.from(parts.flatMap((part) => [...part])));
}

/** Flags stay 0: there is no 8259 pair. */
function header(board: BoardAddresses): Uint8Array {
  return structure(8, (view) => view.setUint32(0, board.localApic, true));
}

/** A vCPU's APIC id is its index in the TD. */
function localApic(index: number): Uint8Array {
  return structure(8, (view) => {
    view.setUint8(0, 0);
    view.setUint8(1, 8);
    view.setUint8(2, index);
    view.setUint8(3, index);
    view.setUint32(4, 1, true); // enabled
  });
}

function ioApic(board: BoardAddresses): Uint8Array {
  return structure(12, (view) => {
    view.setUint8(0, 1);
    view.setUint8(1, 12);
    view.setUint8(2, board.ioApic.id);
    view.setUint32(4, board.ioApic.address, true);
    view.setUint32(8, board.ioApic.firstInterrupt, true);
  });
}

/** How further processors of a TD are started, there being no INIT and SIPI (ACPI 6.6, section 5.2.12.19 "Multiprocessor Wakeup Structure"). */
function multiprocessorWakeup({ mailboxGpa, switchedOffGpa }: WakeupAddresses): Uint8Array {
  return structure(WAKEUP_BYTES, (view) => {
    view.setUint8(0, 0x10);
    view.setUint8(1, WAKEUP_BYTES);
    view.setUint16(2, WAKEUP_VERSION, true);
    view.setBigUint64(8, BigInt(mailboxGpa), true);
    view.setBigUint64(16, BigInt(switchedOffGpa), true);
  });
}

function structure(sizeBytes: number, fill: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  fill(new DataView(bytes.buffer));
  return bytes;
}
