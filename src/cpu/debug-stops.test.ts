import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DebugStop, DebugStops } from './debug-stops.ts';
import { flatBench } from './engine/flat-bench.ts';
import { S } from './state.ts';

/** inc rax; mov [rbx], rax; mov rcx, [rbx + 4]; dec rdx; jnz back; hlt */
const LOOP = [0x48, 0xff, 0xc0, 0x48, 0x89, 0x03, 0x48, 0x8b, 0x4b, 0x04, 0x48, 0xff, 0xca, 0x75, 0xf1, 0xf4];
const LOAD = 6;
const DEC = 10;

function debugged(compileAfter: number) {
  const { cpu, engine, memory, at } = flatBench();
  engine.code.compileAfter = compileAfter;
  const stops = new DebugStops(
    [cpu],
    (offset) => engine.code.debugOffsetAdded(offset),
    (watch) => cpu.forgetWatched(watch),
  );
  cpu.debugWith(stops);
  engine.code.debugOffsets = stops.offsets;
  memory.u8.set(LOOP, at);
  const data = memory.ramBase + 0x80_0000;
  cpu.state.set(S.rip, at, 0);
  cpu.state.set(S.gpr + 3 * 8, data, 0);
  cpu.state.set(S.gpr + 2 * 8, 1000, 0);
  let met: DebugStop[] = [];
  stops.onStop = (stop) => met.push(stop);
  const go = () => {
    met = [];
    stops.passPosition = stops.position;
    cpu.run();
    return { kind: met[0]?.kind, offset: cpu.state.low(S.rip) - at };
  };
  return { cpu, stops, go, at, data, memory };
}

for (const [name, compileAfter] of [
  ['interpreted', 0],
  ['compiled', 2],
] as const) {
  test(`a breakpoint stops before its instruction, each time it is reached (${name})`, () => {
    const { cpu, stops, go, at } = debugged(compileAfter);
    stops.limit = 50;
    assert.deepEqual(go(), { kind: 'position', offset: 0 });
    stops.limit = Number.POSITIVE_INFINITY;
    stops.addBreakpoint(at + LOAD, 0);
    for (let round = 11; round < 14; round++) {
      assert.deepEqual(go(), { kind: 'breakpoint', offset: LOAD });
      assert.equal(cpu.state.low(S.gpr), round);
      assert.equal(stops.position, 5 * (round - 1) + 2);
    }
    stops.removeBreakpoint(at + LOAD, 0);
    assert.deepEqual(go(), { kind: undefined, offset: LOOP.length - 1 });
  });

  test(`a watch stops behind the access, and another address in the page does not (${name})`, () => {
    const { stops, go, data, memory } = debugged(compileAfter);
    stops.addWatch({ low: data + 64, high: 0, lengthBytes: 8, access: 2 });
    const write = { low: data + 7, high: 0, lengthBytes: 1, access: 2 };
    stops.addWatch(write);
    assert.deepEqual(go(), { kind: 'watch', offset: LOAD });
    assert.equal(memory.u8[data], 1);
    stops.removeWatch(write);
    stops.addWatch({ low: data + 11, high: 0, lengthBytes: 4, access: 1 });
    assert.deepEqual(go(), { kind: 'watch', offset: DEC });
  });
}

test('the bytes of a watch are counted across a wrap of the low half', () => {
  const stops = new DebugStops(
    [],
    () => {},
    () => {},
  );
  stops.addWatch({ low: -2, high: 5, lengthBytes: 4, access: 3 });
  assert.ok(stops.watchOf(1, 6, 1, 1) !== undefined);
  assert.ok(stops.watchOf(2, 6, 1, 1) === undefined);
  assert.ok(stops.watchOf(-4, 5, 2, 1) === undefined);
  assert.ok(stops.watchOf(-4, 5, 3, 1) !== undefined);
  assert.equal(stops.watchedAccess(0, 6), 3);
  assert.equal(stops.watchedAccess(-4096, 5), 3);
  assert.equal(stops.watchedAccess(0, 5), 0);
});
