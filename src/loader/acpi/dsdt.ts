/** The one AML table: which devices exist besides those the fixed tables name. */
import {
  device,
  edgeInterrupt,
  eisaId,
  integer,
  ioPorts,
  list,
  memory32Fixed,
  name,
  resourceTemplate,
  scope,
  text,
} from './aml.ts';
import type { BoardAddresses } from './board-addresses.ts';
import { acpiTable } from './table.ts';

/** Revision 2: integers have 64 bits. */
const REVISION = 2;

export function dsdt(board: BoardAddresses): Uint8Array {
  const powerOff = name('\\_S5', list(integer(board.power.powerOffType), integer(0), integer(0), integer(0)));
  const serial = device(
    'COM1',
    name('_HID', eisaId('PNP0501')),
    name('_UID', integer(0)),
    name('_CRS', resourceTemplate(ioPorts(board.serial.port, 8), edgeInterrupt(board.serial.interrupt))),
  );
  const virtio = (board.virtioMmio ?? []).map((window, index) =>
    device(
      `VR${index.toString(16).toUpperCase().padStart(2, '0')}`,
      name('_HID', text('LNRO0005')),
      name('_UID', integer(index)),
      name(
        '_CRS',
        resourceTemplate(memory32Fixed(window.address, window.lengthBytes), edgeInterrupt(window.interrupt)),
      ),
    ),
  );
  return acpiTable('DSDT', REVISION, Uint8Array.from([...powerOff, ...scope('\\_SB', serial, ...virtio)]));
}
