/** Traces of small TDs: what is in them, in which order, in both forms, and where two of them part. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { planHelloTd } from '../../examples/plan-hello-td.ts';
import {
  diffTraces,
  drawTrace,
  formatDifference,
  formatSummary,
  readTrace,
  summarizeTrace,
} from '../../src/debug/index.ts';
import { type Assembler, r } from '../../src/isa/index.ts';
import { smallTd } from '../tdx/small-td.ts';
import { traceEventFormatViolations } from './trace-event-format.ts';
import { tracedRun } from './traced-run.ts';

const hello = tracedRun(planHelloTd());

test('both forms hold the same events, and the format of the viewers is kept', () => {
  assert.deepEqual(traceEventFormatViolations(hello.json), []);
  assert.deepEqual(readTrace(hello.json, 'json'), hello.events);
  assert.ok(hello.events.length > 1000);
  hello.events.forEach(({ n }, index) => {
    assert.equal(n, index);
  });
});

test('the check of the format sees what is wrong', () => {
  const wrong = (change: (event: Record<string, unknown>) => void): number => {
    const file = JSON.parse(hello.json) as { traceEvents: Record<string, unknown>[] };
    change(file.traceEvents.find(({ ph }) => ph === 'X')!);
    return traceEventFormatViolations(JSON.stringify(file)).length;
  };
  assert.equal(
    wrong((event) => delete event.dur),
    1,
  );
  assert.equal(
    wrong((event) => (event.ph = 'Z')),
    1,
  );
  assert.equal(
    wrong((event) => (event.ts = '1')),
    1,
  );
});

test('a module call has its operands, results and status by name', () => {
  const info = hello.events.find(({ name }) => name === 'TDG.VP.INFO')!;
  assert.equal(info.kind, 'module call');
  assert.equal(info.status, 'TDX_SUCCESS');
  assert.equal(info.out?.['RCX: GPAW'], '0x30');
  assert.match(info.rip!, /^0x100/);
  assert.equal(info.details, 'attributes SEPT_VE_DISABLE');
  assert.equal(info.vcpu, 0);
  assert.ok(info.instructions! > 0);
});

test('an id of the metadata has the name of its field', () => {
  const reads = hello.events.filter(({ name }) => name === 'TDG.VM.RD');
  assert.deepEqual(
    reads.map(({ details }) => details),
    [0, 1, 2, 3, 4, 5].map((word) => `field MRTD[${word}]`),
  );
});

test('a VMM call has what the guest gave, what came back, and how long it took', () => {
  const letter = hello.events.find(({ name }) => name === 'Instruction.IO')!;
  assert.equal(letter.in?.['R14: port'], '0x3f8');
  assert.equal(letter.in?.['R15: data'], `0x${'H'.charCodeAt(0).toString(16)}`);
  assert.equal(letter.status, 'SUCCESS');
  assert.ok(letter.ticksTaken !== undefined);
  const last = hello.events.at(-1)!;
  assert.equal(last.in?.['R14: port'], '0x600');
  assert.equal(last.status, undefined, 'the power went off: nobody answered');
});

test('pages change state in the order of the specification', () => {
  const states = hello.events.filter(({ kind, gpa }) => kind === 'private page' && gpa === '0x200000');
  assert.deepEqual(
    states.map(({ name, details }) => `${details}: ${name}`),
    ['was FREE, level 1: PENDING', 'was PENDING, level 1: MAPPED'],
  );
});

/** OUT without a handler of #VE, then nothing is there to take the fault. */
const out = (a: Assembler) => {
  a.mov(r.edx, 0x3f8);
  a.out(r.dx, r.al);
};

test('a #VE says what it led to', () => {
  const { events, end } = tracedRun(smallTd(out));
  assert.equal(end.cause, 'triple-fault');
  const exception = events.find(({ kind }) => kind === '#VE')!;
  assert.equal(exception.name, 'IO_INSTRUCTION');
  assert.equal(exception.details, 'OUT to port 0x3f8, 1 byte');
  assert.deepEqual(exception.ledTo, ['TD exit TRIPLE_FAULT']);
});

test('an exception that the module injects is a crossing, with its cause; one that the processor raises is the guest’s own affair', () => {
  const DEBUG_CONTROL = 0x1d9;
  const injected = tracedRun(
    smallTd((a) => {
      a.mov(r.ecx, DEBUG_CONTROL);
      a.mov(r.eax, 0xffff); // reserved bits too
      a.wrmsr();
    }),
  );
  assert.equal(injected.end.cause, 'triple-fault');
  const exception = injected.events.find(({ kind }) => kind === 'exception')!;
  assert.equal(exception.name, '#GP');
  assert.equal(exception.details, 'for WRMSR');
  assert.ok(exception.rip !== undefined && exception.vcpu === 0);
  const { events, end } = tracedRun(smallTd((a) => a.ud2()));
  assert.equal(end.cause, 'triple-fault');
  assert.deepEqual(
    events.filter(({ kind }) => kind === 'exception'),
    [],
  );
});

test('filters keep what was asked for', () => {
  const only = (filter: object) => tracedRun(planHelloTd(), { filter }).events;
  const calls = only({ subFunctions: ['instruction.io'], leaves: ['TDG.VP.INFO'] });
  assert.deepEqual([...new Set(calls.map(({ name }) => name))].sort(), ['Instruction.IO', 'TDG.VP.INFO']);
  const page = only({ gpa: { startGpa: 0x20_0000, endGpa: 0x20_1000 } });
  assert.ok(page.length >= 4);
  assert.ok(page.every(({ gpa, gpaBytes }) => Number(gpa) <= 0x20_0000 && Number(gpa) + gpaBytes! > 0x20_0000));
  assert.deepEqual(only({ vcpus: [1] }), []);
  const early = only({ time: { fromTicks: 1, toTicks: 500 } });
  assert.ok(early.length > 0 && early.every(({ ticks }) => ticks >= 1 && ticks < 500));
});

const LEAF_1_TSC_DEADLINE = 1 << 24;

/** CPUID leaf 7, then leaf 1, then the host. */
const asks = (a: Assembler) => {
  for (const leaf of [7, 1]) {
    a.mov(r.eax, leaf);
    a.xor(r.ecx, r.ecx);
    a.cpuid();
  }
  out(a);
};

test('the difference of two equal runs is nothing; of two that differ in one CPUID bit, the first crossing that shows it', () => {
  const run = (leaf1Ecx: number) => {
    const leaf1 = { eax: 0, ebx: 1 << 16, ecx: leaf1Ecx, edx: 0 };
    return tracedRun(smallTd(asks), { td: { params: { cpuidConfig: [leaf1] } } }).events;
  };
  const [with1, with2, without] = [run(LEAF_1_TSC_DEADLINE), run(LEAF_1_TSC_DEADLINE), run(0)];
  assert.equal(diffTraces(with1, with2), undefined);
  const difference = diffTraces(with1, without)!;
  assert.deepEqual(difference.fields, ['out.ECX']);
  assert.equal(difference.left[0]!.name, 'CPUID');
  assert.equal(difference.left[0]!.in?.['EAX: leaf'], '0x1');
  assert.equal(difference.before.at(-1)!.in?.['EAX: leaf'], '0x7');
  const text = formatDifference(difference, 'with', 'without');
  assert.match(text, /^Crossing \d+ is the first that differs: handled by the module CPUID, in out\.ECX\.\n/);
  assert.match(text, /\nwithout:\n {2}.*CPUID \(EAX 0x1\)/);
  const shorter = formatDifference(diffTraces(with1, with1.slice(0, 10))!, 'whole', 'part');
  assert.match(shorter, /^part ends after 10 crossings, the other goes on with host call /);
});

test('the summary counts, and the picture is an SVG', () => {
  const summary = summarizeTrace(hello.events);
  const io = summary.rows.find(({ name }) => name === 'Instruction.IO')!;
  assert.equal(io.count, hello.events.filter(({ name }) => name === 'Instruction.IO').length);
  assert.match(formatSummary(summary), /\n {2}Instruction\.IO +\d+ /);
  const picture = drawTrace(hello.events, 'hello <td>');
  assert.match(picture, /^<svg [^>]*>/);
  assert.match(picture, /hello &#60;td&#62;/);
  assert.match(picture, /<\/svg>\n$/);
});

test('what is no trace is refused with a sentence', () => {
  assert.throws(
    () => readTrace('{"a":1}\n', 'x.ndjson'),
    /^TraceFormatError: x\.ndjson is no trace of seamulator: line 1/,
  );
  assert.throws(() => readTrace('hello', 'x.ndjson'), /line 1 is no JSON/);
});
