/** The interpreter and the compiler run the same random programs and must agree on every register, flag, byte and count. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DebugStop, DebugStops } from '../debug-stops.ts';
import { packRflags } from '../flags.ts';
import { S } from '../state.ts';
import { type FlatBench, flatBench } from './flat-bench.ts';

const SEED = 20261124;
const PROGRAMS = 150;

/** mulberry32: a small generator so that a failing program is named by its number. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Registers that programs use freely: not RSP (4), RBP (5, data) and R15 (loop count). */
const FREE = [0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14];

/** A loop of random instructions around forward branches, calls and computed jumps; R15 counts it down, RBP points at data, RSP above it. */
function program(next: () => number): number[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  const byte = (): number => Math.floor(next() * 256);
  const instruction = (): number[] => {
    const [a, b] = [pick(FREE), pick(FREE)];
    const rex = (w: number, r: number, m: number): number => 0x40 | (w << 3) | ((r >> 3) << 2) | (m >> 3);
    const registers = (r: number, m: number): number => 0xc0 | ((r & 7) << 3) | (m & 7);
    const data = (r: number): number => 0x45 | ((r & 7) << 3); // [rbp + disp8]
    const w = next() < 0.5 ? 1 : 0;
    const small = next() < 0.15 ? [0x66] : [];
    switch (Math.floor(next() * 15)) {
      case 0: // add or adc and sbb sub xor cmp, register to register
        return [...small, rex(w, a, b), (Math.floor(next() * 8) << 3) | 1, registers(a, b)];
      case 1: // the same with bytes, high ones among them
        return [(Math.floor(next() * 8) << 3) | 0, 0xc0 | byte()]
          .map((x, i) => (i === 1 && (x & 7) === 5 ? x & ~7 : x))
          .map((x, i) =>
            i === 1 && ((x >> 3) & 7) === 5
              ? x & ~0x38
              : i === 1 && (x & 7) === 4
                ? x & ~7
                : i === 1 && ((x >> 3) & 7) === 4
                  ? x & ~0x38
                  : x,
          );
      case 2: // from memory
        return [...small, rex(w, a, 5), (Math.floor(next() * 8) << 3) | 3, data(a), byte()];
      case 3: // to memory
        return [...small, rex(w, a, 5), (Math.floor(next() * 8) << 3) | 1, data(a), byte()];
      case 4: // immediate
        return [rex(w, 0, b), 0x83, 0xc0 | (Math.floor(next() * 8) << 3) | (b & 7), byte()];
      case 5: // rol ror rcl rcr shl shr sar by immediate
        return [rex(w, 0, b), 0xc1, 0xc0 | (pick([0, 1, 2, 3, 4, 5, 7]) << 3) | (b & 7), byte()];
      case 6: // shl shr sar by cl
        return [rex(w, 0, b), 0xd3, 0xc0 | (pick([4, 5, 7]) << 3) | (b & 7)];
      case 7: // setcc, byte register without REX: al cl dl bl
        return [0x0f, 0x90 | (byte() & 15), 0xc0 | (b & 3)];
      case 8: // cmovcc
        return [rex(w, a, b), 0x0f, 0x40 | (byte() & 15), registers(a, b)];
      case 9: // movzx, movsx from bytes of memory
        return [rex(w, a, 5), 0x0f, pick([0xb6, 0xb7, 0xbe, 0xbf]), data(a), byte()];
      case 10: // mul imul not neg
        return [rex(w, 0, b), 0xf7, 0xc0 | (pick([2, 3, 4, 5]) << 3) | (b & 7)];
      case 11: // lea with index
        return [
          rex(w, a, 5) | ((b >> 3) << 1),
          0x8d,
          0x44 | ((a & 7) << 3),
          (pick([0, 1, 2, 3]) << 6) | ((b & 7) << 3) | 5,
          byte(),
        ];
      case 13: // rdtsc: the count of instructions itself
        return [0x0f, 0x31];
      case 12: // inc dec of memory
        return [rex(w, 0, 5), 0xff, 0x45 | (pick([0, 1]) << 3), byte()];
      default: // imul, bt, xadd in registers
        return [rex(w, a, b), 0x0f, pick([0xaf, 0xa3, 0xc1, 0xab]), registers(a, b)];
    }
  };
  /** One of two ways, by a bit of memory: lea rsi; lea rdi; test byte [rbp + disp8]; cmovne rsi, rdi; jmp rsi. */
  const computedJump = (): number[] => {
    const [first, second] = [instruction(), instruction()];
    const ways = [0x48, 0x8d, 0x35, 17, 0, 0, 0, 0x48, 0x8d, 0x3d, 12 + first.length, 0, 0, 0];
    const choice = [0xf6, 0x45, byte(), 1 << (byte() & 7), 0x48, 0x0f, 0x45, 0xf7, 0xff, 0xe6];
    return [...ways, ...choice, ...first, 0xeb, second.length, ...second];
  };
  const body: number[] = [];
  const calls: number[] = [];
  for (let i = 0; i < 25; i++) {
    const kind = next();
    if (kind < 0.1) {
      calls.push(body.length);
      body.push(0xe8, 0, 0, 0, 0);
    } else if (kind < 0.2) body.push(...computedJump());
    else if (kind < 0.4) {
      const skipped = [...instruction(), ...instruction()];
      body.push(0x70 | (byte() & 15), skipped.length, ...skipped); // jcc over two
    } else body.push(...instruction());
  }
  body.push(0x49, 0xff, 0xcf); // dec r15
  const back = -(body.length + 6);
  const loop = [...body, 0x0f, 0x85, back & 255, (back >> 8) & 255, (back >> 16) & 255, (back >> 24) & 255, 0xf4]; // jnz start; hlt
  for (const at of calls) [loop[at + 1], loop[at + 2]] = [(loop.length - at - 5) & 255, (loop.length - at - 5) >> 8];
  return [...loop, ...instruction(), ...instruction(), 0xc3]; // what is called
}

/** What a run leaves behind, as text to compare. @param run runs the processor until its next exit */
function outcome(
  bench: FlatBench,
  bytes: readonly number[],
  at: number,
  seed: number,
  headroom: number,
  run: () => number = () => bench.cpu.run().reason,
): string {
  const { cpu, clock, memory } = bench;
  const next = random(seed);
  for (let register = 0; register < 16; register++)
    cpu.state.set(S.gpr + register * 8, (next() * 4294967296) | 0, (next() * 4294967296) | 0);
  const data = memory.ramBase + 0x80_0000;
  for (let i = 0; i < 512; i++) memory.u8[data + i] = next() * 256;
  cpu.state.set(S.gpr + 5 * 8, data + 200, 0);
  cpu.state.set(S.gpr + 4 * 8, data + 480, 0);
  cpu.state.set(S.gpr + 15 * 8, 60, 0);
  memory.u8.set(bytes, at);
  cpu.hostPageReplaced(at);
  cpu.state.set(S.rip, at, 0);
  const before = cpu.retired;
  const stops: string[] = [];
  for (;;) {
    const alarm = clock.schedule(clock.nowTicks + headroom, () => {});
    const reason = run();
    clock.cancel(alarm);
    const registers = Array.from({ length: 16 }, (_, i) => cpu.state.big(S.gpr + i * 8).toString(16));
    stops.push(
      `${reason} ${cpu.state.low(S.rip) - at} ${cpu.retired - before} ${packRflags(cpu.state).toString(16)} ${registers}`,
    );
    if (reason !== 1 || stops.length > 400) break;
  }
  return `${stops.join('\n')}\n${memory.u8.subarray(data, data + 512)}`;
}

test(`${PROGRAMS} random programs give the same bits interpreted and compiled, at every stop`, () => {
  const interpreter = flatBench();
  interpreter.engine.code.compileAfter = 0;
  const compiler = flatBench();
  compiler.engine.code.compileAfter = 2;
  let instructions = 0;
  for (let i = 0; i < PROGRAMS; i++) {
    const bytes = program(random(SEED + i));
    const at = interpreter.at + (i % 64) * 0x1000;
    const headroom = i % 3 === 0 ? 97 : 1e9;
    const expected = outcome(interpreter, bytes, at, i, headroom);
    assert.equal(
      outcome(compiler, bytes, at, i, headroom),
      expected,
      `program ${i}: ${bytes.map((x) => x.toString(16).padStart(2, '0')).join(' ')}`,
    );
    instructions = compiler.cpu.retired;
  }
  assert.ok(compiler.engine.code.regionsCompiled >= PROGRAMS / 2, 'the compiler had work');
  assert.ok(instructions > 100_000);
});

test('a code cache that fills up again and again changes nothing', () => {
  const roomy = flatBench();
  roomy.engine.code.compileAfter = 0;
  const small = flatBench({ cacheBytes: (1 << 20) + (192 << 10) });
  small.engine.code.compileAfter = 2;
  for (let i = 0; i < 96; i++) {
    const bytes = program(random(SEED + 1000 + i));
    const at = roomy.at + (i % 64) * 0x1000;
    assert.equal(outcome(small, bytes, at, i, 97), outcome(roomy, bytes, at, i, 97), `program ${i}`);
  }
  assert.ok(small.engine.code.generation >= 3, 'the cache was dropped several times');
  assert.equal(roomy.engine.code.generation, 0);
});

test('a debugger that stops at steps, instructions and stores changes nothing', () => {
  const alone = flatBench();
  alone.engine.code.compileAfter = 2;
  const debugged = flatBench();
  debugged.engine.code.compileAfter = 2;
  const { cpu, engine, memory } = debugged;
  const stops = new DebugStops(
    [cpu],
    (offset) => engine.code.debugOffsetAdded(offset),
    (watch) => cpu.forgetWatched(watch),
  );
  cpu.debugWith(stops);
  engine.code.debugOffsets = stops.offsets;
  let stopped: DebugStop[] = [];
  stops.onStop = (stop) => stopped.push(stop);
  const met = new Map<string, number>();
  const next = random(SEED);
  const runAndStop = (): number => {
    for (;;) {
      const steps = next() < 0.5 ? 1 : Math.floor(next() * 300);
      stops.limit = stops.position + steps + 1;
      stops.passPosition = stops.position;
      stopped = [];
      const { reason } = cpu.run();
      const [stop] = stopped;
      if (stop === undefined) return reason;
      met.set(stop.kind, (met.get(stop.kind) ?? 0) + 1);
      if (stop.kind === 'position') assert.equal(stops.position, stops.limit, 'exactly there');
    }
  };
  for (let i = 0; i < 40; i++) {
    const bytes = program(random(SEED + i));
    const at = debugged.at + (i % 64) * 0x1000;
    const headroom = i % 2 === 0 ? 97 : 1e9;
    stops.clear();
    stops.marginSteps = i % 4 < 2 ? 8192 : 100;
    const data = memory.ramBase + 0x80_0000 + 200;
    if (i % 3 === 0) stops.addBreakpoint(at + Math.floor(next() * bytes.length), 0);
    if (i % 5 === 0) stops.addWatch({ low: data + 8, high: 0, lengthBytes: 60, access: 2 });
    if (i % 7 === 0) stops.addWatch({ low: data - 50, high: 0, lengthBytes: 3, access: 1 });
    const expected = outcome(alone, bytes, at, i, headroom);
    assert.equal(outcome(debugged, bytes, at, i, headroom, runAndStop), expected, `program ${i}`);
  }
  for (const kind of ['position', 'breakpoint', 'watch']) assert.ok(met.get(kind)! > 10, `${kind}: ${met.get(kind)}`);
});

test('an engine that starts with the code of another one gives the same bits', () => {
  const first = flatBench();
  first.engine.code.compileAfter = 2;
  const bytes = (i: number): number[] => program(random(SEED + 2000 + i));
  const at = (i: number): number => first.at + i * 0x1000;
  const expected = Array.from({ length: 24 }, (_, i) => outcome(first, bytes(i), at(i), i, i % 2 === 0 ? 97 : 1e9));
  const made = first.engine.code.regionsCompiled;
  assert.ok(made >= 12, 'there is something to start with');

  const second = flatBench({ ready: first.engine.generated });
  second.engine.code.compileAfter = 2;
  expected.forEach((text, i) => {
    assert.equal(outcome(second, bytes(i), at(i), i, i % 2 === 0 ? 97 : 1e9), text, `program ${i}`);
  });
  assert.ok(
    second.engine.code.regionsCompiled < made / 2,
    `${second.engine.code.regionsCompiled} of ${made} compiled again`,
  );
  assert.ok(second.engine.code.compiledPages.length > 0);

  const interpreter = flatBench({ ready: first.engine.generated, compiler: null });
  expected.forEach((text, i) => {
    assert.equal(outcome(interpreter, bytes(i), at(i), i, i % 2 === 0 ? 97 : 1e9), text, `program ${i}, interpreted`);
  });
  assert.equal(interpreter.engine.code.compiledPages.length, 0, 'the interpreter alone runs nothing compiled');
});
