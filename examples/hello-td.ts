/** A platform, a TD on it, a run, and what crossed the TD's border. */
import { CrossingRecorder, crossingName } from '../src/debug/index.ts';
import { TdxPlatform } from '../src/machine/index.ts';
import { CrossingKind } from '../src/probe/index.ts';
import { planHelloTd } from './plan-hello-td.ts';

const crossings = new CrossingRecorder();
const platform = new TdxPlatform({ memoryBytes: 4 << 20, observer: crossings });
let text = '';
const td = platform.buildTd(planHelloTd(), { consoleOutput: (byte) => (text += String.fromCharCode(byte)) });
const { end, instructions } = td.run();

console.log(text);
for (const kind of [CrossingKind.ModuleCall, CrossingKind.VmmCall])
  for (const [code, count] of crossings.counts(kind)) console.log(`${crossingName(kind, code)}: ${count}`);
console.log(`${end.cause} after ${instructions} instructions`);
