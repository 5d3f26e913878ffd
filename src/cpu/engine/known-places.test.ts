/** A run decodes at once what an earlier one has entered in such a page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { S } from '../state.ts';
import { type FlatBench, flatBench } from './flat-bench.ts';
import { KnownPlaces } from './known-places.ts';
import { R } from './record.ts';

/** mov ecx, 3; l: inc eax; dec ecx; jnz l; hlt */
const LOOP = [0xb9, 3, 0, 0, 0, 0xff, 0xc0, 0xff, 0xc9, 0x75, 0xfa, 0xf4];
const BRANCH = 9;
const INSTRUCTIONS = 5;
const PLACES = [0, 0x300, 0x900];

const benchOf = (earlier?: FlatBench): FlatBench =>
  flatBench(earlier === undefined ? {} : { ready: earlier.engine.generated });

function run({ cpu, at }: FlatBench, offset: number): void {
  cpu.state.set(S.rip, at + offset, 0);
  cpu.state.set(S.gpr, 0, 0);
  cpu.run();
  assert.equal(cpu.state.low(S.gpr), 3);
}

function write({ memory, at }: FlatBench, firstByte: number): void {
  for (const place of PLACES) memory.u8.set(LOOP, at + place);
  memory.u8[at + 0xf00] = firstByte;
}

/** The only table of the page, whatever may not be used in it. */
const tableOf = ({ engine, at }: FlatBench): number =>
  [0, 1, 2, 3].map((forbidden) => engine.code.table(at, 64, forbidden)).find((table) => table !== 0)!;

function firstRun(): FlatBench {
  const first = benchOf();
  write(first, 1);
  for (const place of PLACES) run(first, place);
  assert.equal(first.engine.code.instructionsDecoded, PLACES.length * INSTRUCTIONS);
  return first;
}

test('all places that an earlier run has entered are decoded and linked with the first', () => {
  const second = benchOf(firstRun());
  write(second, 1);
  run(second, PLACES[0]!);
  const { code, memory } = second.engine;
  assert.equal(code.instructionsDecoded, PLACES.length * INSTRUCTIONS);
  for (const place of PLACES) {
    const branch = code.plain(code.record(tableOf(second), place + BRANCH));
    const loop = code.record(tableOf(second), place + 5);
    assert.equal(memory.i32[(branch + R.link) >> 2], loop, 'the branch knows its way, not taken yet');
    run(second, place);
  }
  assert.equal(code.instructionsDecoded, PLACES.length * INSTRUCTIONS);
});

test('another page shares nothing, and what is not there any more does no harm', () => {
  const first = firstRun();
  const other = benchOf(first);
  write(other, 2);
  run(other, PLACES[0]!);
  assert.equal(other.engine.code.instructionsDecoded, INSTRUCTIONS);
  const changed = benchOf(first);
  write(changed, 1);
  changed.memory.u8.fill(0x06, changed.at + 0x301, changed.at + 0x900); // no instruction of 64-bit code
  run(changed, PLACES[0]!);
  run(changed, PLACES[2]!);
});

test('places of a page that changed its use are known too, and so is what the earlier run knew', () => {
  const first = firstRun();
  first.cpu.hostPageReplaced(first.at);
  const second = benchOf(first);
  write(second, 2);
  run(second, PLACES[0]!);
  const third = benchOf(second);
  write(third, 1);
  run(third, PLACES[0]!);
  assert.equal(third.engine.code.instructionsDecoded, PLACES.length * INSTRUCTIONS);
});

test('where a page is entered after its content was replaced is not said of what it held before', () => {
  const first = benchOf();
  write(first, 1);
  run(first, PLACES[0]!);
  first.cpu.hostPageReplaced(first.at);
  first.memory.u8.fill(0x90, first.at + 0x400, first.at + 0x500);
  first.memory.u8.set(LOOP, first.at + 0x500);
  run(first, 0x400);
  const second = benchOf(first);
  write(second, 1);
  run(second, PLACES[0]!);
  assert.equal(second.engine.code.instructionsDecoded, INSTRUCTIONS);
});

test('what is kept does not grow without end', () => {
  const { memory } = flatBench();
  const places = new KnownPlaces(memory);
  for (let key = 0; key < 200; key++) for (let offset = 0; offset < 4096; offset++) places.note(key, offset);
  const kept = places.kept();
  assert.ok(kept.length < 600_000, `${kept.length} bytes`);
  const next = new KnownPlaces(memory);
  next.restore(kept);
  assert.deepEqual([...next.of(7)], [...Array(4096).keys()]);
  assert.equal(next.of(199).length, 0);
});
