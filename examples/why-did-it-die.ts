/** A TD that dies, a trace of what crossed its border, and the report of its death. */
import { veWithinVe } from '../guests/cases/ve-within-ve.ts';
import {
  CrossingRecorder,
  formatPostMortem,
  NdjsonWriter,
  PageHistory,
  postMortem,
  readTrace,
  Tracer,
  tracedPlatform,
} from '../src/debug/index.ts';
import { Assembler } from '../src/isa/index.ts';
import { planBareTd } from '../src/loader/index.ts';
import { buildShimRom, TdxPlatform } from '../src/machine/index.ts';
import { observeAll } from '../src/probe/index.ts';

const entryGpa = 0x1_0000;
const memoryBytes = 4 << 20;

const a = new Assembler({ origin: entryGpa });
veWithinVe.program(a);
const plan = planBareTd({
  name: veWithinVe.name,
  pieces: [{ startGpa: entryGpa, content: a.assemble().bytes }],
  entryGpa,
  memoryBytes,
  vcpus: 1,
  mailboxGpa: 0x8000,
  shim: buildShimRom(),
});

let trace = '';
const tracer = new Tracer({ writer: new NdjsonWriter((text) => (trace += text)) });
const crossings = new CrossingRecorder();
const pages = new PageHistory();
const platform = new TdxPlatform({ memoryBytes, observer: observeAll(tracer, crossings, pages) });
const td = platform.buildTd(plan);
for (const observer of [tracer, crossings]) observer.attach(tracedPlatform(platform, td));
pages.attach(platform.clock);

const { end } = td.run();
tracer.end();
const report = postMortem({ platform, td, end, crossings, pages, symbols: () => undefined, consoleText: '' });
if (report !== undefined) console.log(formatPostMortem(report));
console.log(`\nThe trace has ${readTrace(trace, 'the trace').length} crossings.`);
