/** The plan of a TD without an operating system: our hello-td behind our shim. */
import { assembleHelloTd } from '../guests/index.ts';
import { type LoadPlan, planBareTd } from '../src/loader/index.ts';
import { BOARD, buildShimRom } from '../src/machine/index.ts';

export function planHelloTd(): LoadPlan {
  const hello = assembleHelloTd({
    serialPort: BOARD.serial.port,
    sleepControlPort: BOARD.power.sleepControlPort,
    powerOffType: BOARD.power.powerOffType,
  });
  return planBareTd({
    name: 'hello-td',
    pieces: [{ startGpa: hello.origin, content: hello.bytes }],
    entryGpa: hello.origin,
    memoryBytes: 4 << 20,
    vcpus: 1,
    mailboxGpa: 0x8000,
    shim: buildShimRom(),
  });
}
