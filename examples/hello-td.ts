/** A platform, a TD on it, a run, and what crossed the TD's border. */
import { assembleHelloTd } from '../guests/index.ts';
import { CrossingRecorder, crossingName } from '../src/debug/index.ts';
import { planBareTd } from '../src/loader/index.ts';
import { BOARD, buildShimRom, TdxPlatform } from '../src/machine/index.ts';
import { CrossingKind } from '../src/probe/index.ts';

const hello = assembleHelloTd({
  serialPort: BOARD.serial.port,
  sleepControlPort: BOARD.power.sleepControlPort,
  powerOffType: BOARD.power.powerOffType,
});
const plan = planBareTd({
  name: 'hello-td',
  pieces: [{ startGpa: hello.origin, content: hello.bytes }],
  entryGpa: hello.origin,
  memoryBytes: 4 << 20,
  vcpus: 1,
  mailboxGpa: 0x8000,
  shim: buildShimRom(),
});

const crossings = new CrossingRecorder();
const platform = new TdxPlatform({ memoryBytes: 4 << 20, observer: crossings });
let text = '';
const td = platform.buildTd(plan, { consoleOutput: (byte) => (text += String.fromCharCode(byte)) });
const { end, instructions } = td.run();

console.log(text);
for (const kind of [CrossingKind.ModuleCall, CrossingKind.VmmCall])
  for (const [code, count] of crossings.counts(kind)) console.log(`${crossingName(kind, code)}: ${count}`);
console.log(`${end.cause} after ${instructions} instructions`);
