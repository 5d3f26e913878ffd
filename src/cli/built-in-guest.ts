/** The guest that is always there: hello-td, for machines where Debian's packages cannot be had. */

import { assembleHelloTd } from '../../guests/index.ts';
import { type LoadPlan, planBareTd } from '../loader/index.ts';
import { BOARD, buildShimRom } from '../machine/index.ts';

export const BUILT_IN_GUEST_BYTES = 4 * 2 ** 20;

const mailboxGpa = 0x1000;

export function planBuiltInGuest(): LoadPlan {
  const { origin, bytes } = assembleHelloTd({
    serialPort: BOARD.serial.port,
    sleepControlPort: BOARD.power.sleepControlPort,
    powerOffType: BOARD.power.powerOffType,
  });
  return planBareTd({
    name: 'hello-td',
    pieces: [{ startGpa: origin, content: bytes }],
    entryGpa: origin,
    memoryBytes: BUILT_IN_GUEST_BYTES,
    vcpus: 1,
    mailboxGpa,
    shim: buildShimRom(),
  });
}
