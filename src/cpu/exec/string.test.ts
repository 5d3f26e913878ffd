/** Long repetitions: over pages, over themselves, downwards, into nothing, and out of budget. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FlatBench, flatBench } from '../engine/flat-bench.ts';
import { ExitReason } from '../exit.ts';
import { S } from '../state.ts';

const PAGE = 4096;
const RCX = S.gpr + 8;
const RSI = S.gpr + 8 * 6;
const RDI = S.gpr + 8 * 7;
/** the linear range whose pages flatBench maps one by one */
const MAPPED_RANGE = 0x2_0000_0000n;

const HLT = 0xf4;
const REP_MOVSB = [0xf3, 0xa4, HLT];
const REP_MOVSQ = [0xf3, 0x48, 0xa5, HLT];
const STD_REP_MOVSB = [0xfd, 0xf3, 0xa4, HLT];
const REP_STOSQ = [0xf3, 0x48, 0xab, HLT];

function start(
  bench: FlatBench,
  program: readonly number[],
  registers: { rcx: number; rsi?: bigint; rdi: bigint },
): number {
  const { cpu, memory, at } = bench;
  memory.u8.set(program, at);
  cpu.state.set(S.rip, at, 0);
  cpu.state.set(RCX, registers.rcx, 0);
  cpu.state.setBig(RSI, registers.rsi ?? 0n);
  cpu.state.setBig(RDI, registers.rdi);
  return cpu.run().reason;
}

/** Ten pages of data that is the same nowhere near, and where they are. */
function withData(): { bench: FlatBench; data: number } {
  const bench = flatBench();
  const data = bench.memory.ramBase + 0x20_0000;
  for (let i = 0; i < 10 * PAGE; i++) bench.memory.u8[data + i] = (i * 7 + (i >> 8)) & 0xff;
  return { bench, data };
}

test('REP MOVS copies over pages at unlike offsets', () => {
  for (const [program, bytes] of [
    [REP_MOVSB, 1],
    [REP_MOVSQ, 8],
  ] as const) {
    const { bench, data } = withData();
    const [source, target, count] = [data + 3, data + 5 * PAGE + 1001, Math.floor(10_000 / bytes)];
    const expected = bench.memory.u8.slice(source, source + count * bytes);
    assert.equal(start(bench, program, { rcx: count, rsi: BigInt(source), rdi: BigInt(target) }), ExitReason.Hlt);
    assert.deepEqual(bench.memory.u8.slice(target, target + count * bytes), expected);
    assert.equal(bench.cpu.state.big(RCX), 0n);
    assert.equal(bench.cpu.state.big(RSI), BigInt(source + count * bytes));
    assert.equal(bench.cpu.state.big(RDI), BigInt(target + count * bytes));
  }
});

test('a target just above its source repeats the pattern, as element by element does', () => {
  const { bench, data } = withData();
  start(bench, REP_MOVSB, { rcx: 5000, rsi: BigInt(data), rdi: BigInt(data + 3) });
  for (let i = 0; i < 5003; i++) assert.equal(bench.memory.u8[data + i], bench.memory.u8[data + (i % 3)]);
});

test('downwards', () => {
  const { bench, data } = withData();
  const expected = bench.memory.u8.slice(data, data + 9000);
  start(bench, STD_REP_MOVSB, { rcx: 9000, rsi: BigInt(data + 8999), rdi: BigInt(data + 8999 + 500) });
  assert.deepEqual(bench.memory.u8.slice(data + 500, data + 9500), expected);
  assert.equal(bench.cpu.state.big(RSI), BigInt(data - 1));
});

test('a fault in the middle leaves the registers at the element that could not be stored', () => {
  const { bench, data } = withData();
  const stack = bench.memory.ramBase + 0x60_0000;
  bench.map(Number(MAPPED_RANGE), data);
  // no descriptor tables: the page fault cannot be delivered and ends in a triple fault, with the registers as they were
  bench.cpu.state.set(S.gpr + 8 * 4, stack, 0);
  const reason = start(bench, REP_STOSQ, { rcx: 600, rdi: MAPPED_RANGE + 4n });
  assert.equal(reason, ExitReason.TripleFault);
  assert.equal(bench.cpu.state.big(RDI), MAPPED_RANGE + 4n + 511n * 8n);
  assert.equal(bench.cpu.state.big(RCX), 600n - 511n);
});

test('the budget ends between pieces and the rest follows', () => {
  const { bench, data } = withData();
  const target = data + 4 * PAGE;
  bench.clock.schedule(2, () => {});
  assert.equal(
    start(bench, REP_MOVSB, { rcx: 4 * PAGE, rsi: BigInt(data), rdi: BigInt(target) }),
    ExitReason.ExternalInterrupt,
  );
  assert.equal(bench.cpu.state.big(RCX), BigInt(2 * PAGE));
  assert.equal(bench.cpu.state.big(S.rip), BigInt(bench.at));
  bench.clock.ringDue();
  assert.equal(bench.cpu.run().reason, ExitReason.Hlt);
  assert.deepEqual(bench.memory.u8.slice(target, target + 4 * PAGE), bench.memory.u8.slice(data, data + 4 * PAGE));
});

test('how many instructions a repetition is does not depend on what is decoded where it writes', () => {
  for (const [program, source] of [
    [REP_STOSQ, 0],
    [REP_MOVSQ, 1],
    [REP_MOVSB, 5],
  ] as const) {
    const lives = [false, true].map((isDecoded) => {
      const { bench, data } = withData();
      const { cpu, memory } = bench;
      const target = data + 2 * PAGE;
      if (isDecoded) {
        memory.u8[target + 100] = HLT;
        cpu.state.set(S.rip, target + 100, 0);
        cpu.run();
        memory.u8[target + 100] = 0;
        assert.ok(bench.engine.code.isCode(target));
      } else memory.u8[target + 100] = 0;
      const before = cpu.retired;
      start(bench, program, { rcx: 700, rsi: BigInt(data + source * PAGE + 24), rdi: BigInt(target + 8) });
      return { instructions: cpu.retired - before, data: memory.u8.slice(data, data + 10 * PAGE) };
    });
    assert.deepEqual(lives[1], lives[0]);
  }
});
